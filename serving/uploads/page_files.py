"""The files dropped on a tab of the page, with a zip replaced by the files in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from serving.core.errors import Refused, too_large
from serving.uploads.cache import open_uploaded, read_uploaded
from serving.uploads.names import tidy
from serving.uploads.zips import Archive, Limits, UploadedFile, is_zip, most_bytes


@contextmanager
def uploaded_files(uploads: Sequence[dict[str, Any]], limits: Limits) -> Iterator[tuple[int, Iterator[UploadedFile]]]:
    """uploads: as Gradio describes them. Give how many files there are, at least one, and the files themselves, to be
    read within the block. Raises Refused for no file, too many, or a zip that can't be read."""
    names = {upload["path"]: PurePosixPath(tidy(upload.get("orig_name") or upload["path"])).name for upload in uploads}
    zips = [path for path in names if _is_zip(path)]
    if len(zips) > 1:
        raise Refused(422, "bad_upload", "There is more than one zip.", "Send one at a time.")
    files = (_read(path, name, limits) for path, name in names.items() if path not in zips)
    with open_uploaded(zips[0]) if zips else nullcontext() as file:
        archive: Archive | tuple[()] = Archive(file, limits) if file else ()
        count = len(names) - len(zips) + len(archive)
        if not count:
            raise Refused(422, "no_picture", "Choose pictures or a zip first.")
        if count > limits.files:
            message = f"There are {count:,} files; up to {limits.files:,} are accepted at a time."
            raise Refused(413, "too_large", message, "Send them in parts.")
        yield count, chain(files, archive)


def _read(path: str, name: str, limits: Limits) -> UploadedFile:
    content = read_uploaded(path)
    if len(content) > most_bytes(name, limits):
        return UploadedFile(name, error=too_large("The picture", f"{limits.file_mb} MiB", "Send a smaller one."))
    return UploadedFile(name, content)


def _is_zip(path: str) -> bool:
    with open_uploaded(path) as file:
        return is_zip(file.read(4))
