"""What a picture shows, as its file name or folder says: `7/img.png`, `7_012.png`, `img-7.png`."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

SEPARATORS = "[-_ .]"


def labels_in(names: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """One class name for each file name, "" where it carries none.

    A folder that is called like a class labels what is in it. Otherwise a file name that starts or ends with a
    class name, set off by a hyphen, underscore, space or dot, labels its file; but only if every file outside such
    folders is labelled, so that `scan-1` to `scan-12` are not taken for digits.
    """
    known = {name.lower(): name for name in class_names}
    by_folder = [_folder(name, known) for name in names]
    by_file = [_file(name, known) if not label else "" for name, label in zip(names, by_folder, strict=True)]
    if not all(folder or file for folder, file in zip(by_folder, by_file, strict=True)):
        return by_folder
    return [folder or file for folder, file in zip(by_folder, by_file, strict=True)]


def _folder(name: str, known: dict[str, str]) -> str:
    """The class that the nearest folder is called by."""
    folders = [part.lower() for part in PurePosixPath(name).parts[:-1]]
    return next((known[folder] for folder in reversed(folders) if folder in known), "")


def _file(name: str, known: dict[str, str]) -> str:
    parts = re.split(SEPARATORS, PurePosixPath(name).stem.lower())
    return known.get(parts[0]) or known.get(parts[-1]) or ""
