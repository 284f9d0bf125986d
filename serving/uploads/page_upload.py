"""An upload to the page: the files of a form, written into the cache as they arrive, one of them open at a time."""

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING

from python_multipart.multipart import MultipartParser, parse_options_header

from serving.core.errors import too_large
from serving.core.limits import MIB
from serving.uploads.cache import MAX_FILE_MB
from serving.uploads.forms import bad_form, check_count, delimiter, parsing

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD = b"files"  # under which the page uploads
MAX_FILES = 1000  # in an upload: the page sends more in several


class PageUpload:
    """Takes the body of one upload, in pieces. All of it raises Refused, and OSError where there is no room.

    Gradio's own keeps each file open until the last has come, a thousand of them, and leaves behind those of an upload
    that breaks off."""

    def __init__(self, content_type: str, folder: Path, safe_name: Callable[[str], str]) -> None:
        """safe_name: makes a file name of what was sent as one."""
        _, options = parse_options_header(content_type)
        if set(options) != {b"boundary"}:
            raise bad_form("it takes a boundary, and no other parameter")
        self.files = self.size = 0
        self.name = ""  # of the file that is being received
        self._folder, self._safe_name, self._delimiter = folder, safe_name, delimiter(content_type)
        self._is_complete = False
        self._tail = self._header = self._value = self._disposition = b""
        self._file: IO[bytes] | None = None
        self._hash = hashlib.sha256()
        self._written: list[tuple[Path, str, str]] = []  # temporary file, hash and name
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_to_header,
            "on_header_value": self._add_to_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_file,
            "on_part_data": self._add_to_file,
            "on_part_end": self._end_file,
            "on_end": self._end,
        }
        with parsing():
            self._parser = MultipartParser(options[b"boundary"], callbacks)

    def write(self, piece: bytes) -> None:
        """Take what has arrived."""
        self.size += len(piece)
        window = self._tail + piece
        self.files += window.count(self._delimiter)
        self._tail = window[-len(self._delimiter) + 1 :]
        check_count(self.files, MAX_FILES)
        with parsing():
            self._parser.write(piece)

    def finish(self) -> list[str]:
        """Put the files into their places, each in a folder that is named after its content, and return their paths."""
        if not self._is_complete:
            raise bad_form("its end is missing")
        paths = []
        while self._written:
            temporary, digest, name = self._written[0]
            folder = self._folder / digest
            folder.mkdir(exist_ok=True)
            paths.append(str(temporary.replace(folder / name)))
            del self._written[0]
        return paths

    def discard(self) -> None:
        """Delete what is not finished."""
        if self._file is not None:
            with suppress(OSError):  # the disk is full
                self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
            self._file = None
        for temporary, _, _ in self._written:
            temporary.unlink(missing_ok=True)
        self._written.clear()

    def _begin_part(self) -> None:
        self._disposition = b""

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _begin_file(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD or b"filename" not in options:
            raise bad_form("each part is a file named 'files'")
        self.name = PurePath(options[b"filename"].decode(errors="replace")).name
        self._hash = hashlib.sha256()
        self._file = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)  # noqa: SIM115 ends with its part

    def _add_to_file(self, data: bytes, start: int, end: int) -> None:
        assert self._file is not None  # noqa: S101 for the type checker
        if self._file.tell() + end - start > MAX_FILE_MB * MIB:
            raise too_large("The file", f"{MAX_FILE_MB} MiB", "Send a smaller one.")
        self._file.write(data[start:end])
        self._hash.update(data[start:end])

    def _end_file(self) -> None:
        assert self._file is not None  # noqa: S101 for the type checker
        self._file.close()
        name = self._safe_name(self.name)
        self._written.append(
            (Path(self._file.name), self._hash.hexdigest(), "file" if name in ("", ".", "..") else name)
        )
        self._file = None

    def _end(self) -> None:
        self._is_complete = True
