"""Labels of pictures from their folder or file names: `7/img.png`, `7_012.png`, `img-7.png`."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

SEPARATORS = "[-_ .]"


def labels_in(names: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """One class name for each file name, "" where it carries none.

    A folder named after a class labels what is in it. Otherwise a file name that starts or ends with a
    class name, set off by a hyphen, underscore, space or dot, labels its file; but only if every file outside such
    folders is labelled, so that `scan-1` to `scan-12` are not taken for digits.
    """
    known = {name.lower(): name for name in class_names}
    by_folder = [_folder(name, known) for name in names]
    labels = [label or _file(name, known) for name, label in zip(names, by_folder, strict=True)]
    return labels if all(labels) else by_folder


def _folder(name: str, known: dict[str, str]) -> str:
    """The class that the nearest folder is named after."""
    folders = [part.lower() for part in PurePosixPath(name).parts[:-1]]
    return next((known[folder] for folder in reversed(folders) if folder in known), "")


def _file(name: str, known: dict[str, str]) -> str:
    parts = re.split(SEPARATORS, PurePosixPath(name).stem.lower())
    return known.get(parts[0]) or known.get(parts[-1]) or ""
