"""The files dropped on a tab of the page, with a zip replaced by the files in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

from serving.core.errors import Refused
from serving.uploads.zips import Archive, Limits, UploadedFile, is_zip


@contextmanager
def uploaded_files(uploads: Sequence[dict[str, Any]], limits: Limits) -> Iterator[tuple[int, Iterator[UploadedFile]]]:
    """uploads: as Gradio describes them. Give how many files there are, at least one, and the files themselves, to be
    read within the block. Raises Refused for no file, too many, or a zip that can't be read."""
    names = {Path(upload["path"]): Path(upload.get("orig_name") or upload["path"]).name for upload in uploads}
    zips = [path for path in names if _is_zip(path)]
    if len(zips) > 1:
        raise Refused(422, "bad_upload", "There is more than one zip.", "Send one at a time.")
    files = (UploadedFile(name, path.read_bytes()) for path, name in names.items() if path not in zips)
    with zips[0].open("rb") if zips else nullcontext() as file:
        archive: Archive | tuple[()] = Archive(file, limits) if file else ()
        count = len(names) - len(zips) + len(archive)
        if not count:
            raise Refused(422, "no_picture", "Choose pictures or a zip first.")
        if count > limits.files:
            message = f"There are {count:,} files; up to {limits.files:,} are accepted at a time."
            raise Refused(413, "too_large", message, "Send them in parts.")
        yield count, chain(files, archive)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return is_zip(file.read(4))
