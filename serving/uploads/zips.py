"""The files of a zip that a stranger sent, read one after another in memory: bounded, and never written to disk."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Literal

MEGABYTE = 1024 * 1024
DIRECTORY_BYTES_PER_FILE = 1024
"""Room in the zip's table of contents for each file allowed: a name, and what systems add, hidden files among it."""
HARMLESS_SIZE = MEGABYTE  # a file that unpacks to less may shrink as well as it likes: white paper does
MAX_RATIO = 100
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of others Python unpacks more than it is asked for
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"  # signatures of the records that end a zip
END_SIZE, END_64_SIZE, LONGEST_COMMENT = 22, 20, 65535


class ZipError(ValueError):
    """The zip as a whole can't be read; the text says why, for whoever sent it."""


class TooLargeError(ZipError):
    """The zip holds more than the limits allow."""


class EmptyError(ZipError):
    """The zip holds no files."""


@dataclass(frozen=True)
class Limits:
    """What an archive may hold, unpacked."""

    files: int
    file_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class File:
    """A file that was sent: its name, folders included, and content. With an `error`, in words for whoever sent it and
    with a `code` for programs, there is none."""

    name: str
    content: bytes = b""
    error: str = ""
    code: Literal["", "bad_name", "bad_entry", "too_large"] = ""


class Archive:
    """A zip's files in the order of its table of contents; one that can't be used comes with its error. Folders and
    what systems hide in archives are left out. Raises ZipError for the archive as a whole."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        size = _check_directory(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises almost anything on a broken table of contents
            raise ZipError(f"The zip is damaged or incomplete ({error}). Make it again and resend it.") from None
        self._entries = [each for each in self._zip.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
        self._limits = limits
        _check_bounds(self._entries, size, limits)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def unpacked(self) -> int:
        """Bytes that its files unpack to, at most."""
        return _unpacked(self._entries, self._limits)

    def __iter__(self) -> Iterator[File]:
        return (_read(self._zip, entry, self._limits) for entry in self._entries)


def is_zip(beginning: bytes) -> bool:
    """Whether a file that begins so is a zip."""
    return beginning.startswith((b"PK\x03\x04", END))


def _check_directory(file: BinaryIO, limits: Limits) -> int:
    """Bounds the table of contents, which zipfile reads whole, before it does. Returns the size of the archive."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_64_SIZE - END_SIZE - LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) < at + END_SIZE:
        raise ZipError("This is no complete zip. Make it again and resend it.")
    directory_bytes = int.from_bytes(tail[at + 12 : at + 16], "little")
    is_64 = END_64 in tail[max(0, at - END_64_SIZE) : at]
    if is_64 or directory_bytes > DIRECTORY_BYTES_PER_FILE * limits.files:
        raise TooLargeError(_too_many(limits))
    file.seek(0)
    return size


def _check_bounds(entries: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    if not entries:
        raise EmptyError("The zip holds no files. Put pictures into it.")
    if len(entries) > limits.files:
        raise TooLargeError(_too_many(limits))
    if _unpacked(entries, limits) > limits.total_bytes:
        room = limits.total_bytes // MEGABYTE
        raise TooLargeError(f"The zip unpacks to more than {room} MB. Send its pictures in several smaller ones.")
    if sum(entry.compress_size for entry in entries) > size:
        raise ZipError("The zip's files overlap, as those of a zip bomb do. Make it again and resend it.")


def _unpacked(entries: list[zipfile.ZipInfo], limits: Limits) -> int:
    return sum(entry.file_size for entry in entries if entry.file_size <= limits.file_bytes)


def _too_many(limits: Limits) -> str:
    return f"The zip holds more than {limits.files:,} files. Send them in several smaller ones."


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> File:
    if fault := _fault(entry, limits):
        return fault
    try:
        with archive.open(entry) as file:
            content = file.read(limits.file_bytes + 1)  # as many bytes as the zip says at most, and checked by CRC
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return _refused(entry, "bad_entry", "The zip is damaged at this file. Make it again and resend it.")
    if is_zip(content):
        return _refused(entry, "bad_entry", "A zip within a zip is not opened. Send it by itself.")
    return File(entry.filename, content)


def _fault(entry: zipfile.ZipInfo, limits: Limits) -> File | None:
    """Why the file is not read, None if it is."""
    if not _is_plain(entry.filename):
        return _refused(entry, "bad_name", "The name leads out of the zip or can't be shown. Rename the file.")
    if entry.file_size > limits.file_bytes:
        room = limits.file_bytes // MEGABYTE
        return _refused(entry, "too_large", f"The file has more than {room} MB. Send a smaller one.")
    faults = {
        "The file is encrypted. Make the zip without a password.": entry.flag_bits & 0x1,
        "This is a link, not a picture. Put the picture itself into the zip.": stat.S_ISLNK(entry.external_attr >> 16),
        "It is not packed in the usual way. Make the zip with the method Deflate.": entry.compress_type not in METHODS,
        f"It unpacks to more than {MAX_RATIO} times its size, as a zip bomb does. Send it by itself.": entry.file_size
        > max(HARMLESS_SIZE, MAX_RATIO * entry.compress_size),
    }
    found = next((fault for fault, applies in faults.items() if applies), "")
    return _refused(entry, "bad_entry", found) if found else None


def _refused(entry: zipfile.ZipInfo, code: Literal["bad_name", "bad_entry", "too_large"], error: str) -> File:
    shown = (character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in entry.filename)
    return File("".join(shown), error=error, code=code)


def _is_plain(name: str) -> bool:
    """Whether a name stays inside the folder that it is unpacked into, on any system."""
    path = PurePosixPath(name)
    return name.isprintable() and not ({"\\", ":"} & set(name) or path.is_absolute() or ".." in path.parts)
