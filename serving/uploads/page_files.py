"""The files that were dropped on a tab of the page, those of a zip in its place."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from serving.uploads.zips import Archive, File, Limits, ZipError, is_zip


def uploaded_files(uploads: Sequence[dict[str, Any]], limits: Limits, opened: ExitStack) -> tuple[int, Iterator[File]]:
    """uploads: as Gradio describes them. Returns how many files there are, at least one, and the files themselves, to
    be read while `opened` is open. Raises ZipError for nothing, too many, or a zip that can't be read."""
    count, files = _files(uploads, limits, opened)
    if not count:
        raise ZipError("Choose pictures or a zip first.")
    if count > limits.files:
        raise ZipError(f"These are {count:,} files; up to {limits.files:,} are taken at a time. Send them in parts.")
    return count, files


def _files(uploads: Sequence[dict[str, Any]], limits: Limits, opened: ExitStack) -> tuple[int, Iterator[File]]:
    paths = {Path(upload["path"]): Path(upload.get("orig_name") or upload["path"]).name for upload in uploads}
    zips = [path for path in paths if _is_zip(path)]
    if len(zips) > 1:
        raise ZipError("These are several zips. Send one at a time.")
    files = (File(name, path.read_bytes()) for path, name in paths.items() if path not in zips)
    if not zips:
        return len(paths), files
    archive = Archive(opened.enter_context(zips[0].open("rb")), limits)
    return len(paths) - 1 + len(archive), chain(files, archive)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return is_zip(file.read(4))
