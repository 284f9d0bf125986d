"""The files of an untrusted zip, read one at a time in memory and within limits; nothing is written to disk."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from serving.core.errors import Refused
from serving.core.limits import MIB

DIRECTORY_BYTES_PER_FILE = 1024
"""Room in the central directory for each file allowed: its name and what systems add, hidden files included."""
HARMLESS_SIZE = MIB  # a file that unpacks to less may have any compression ratio: white paper compresses well
MAX_RATIO = 100
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of others Python unpacks more than it is asked for
END, END_64 = b"PK\x05\x06", b"PK\x06\x07"  # signatures of the records that end a zip
END_SIZE, END_64_SIZE, LONGEST_COMMENT = 22, 20, 65535


@dataclass(frozen=True)
class Limits:
    """The most that one upload may hold."""

    files: int
    file_mb: int  # MiB of one file, unpacked
    total_mb: int  # MiB of all files, unpacked


@dataclass(frozen=True)
class UploadedFile:
    """A file as it was sent: its name, with its folders in a zip, and its content, or why it can't be used."""

    name: str
    content: bytes = b""
    error: Refused | None = None


class Archive:
    """A zip's files in the order of its central directory; one that can't be used carries its error. Folders and files
    that operating systems hide in archives are left out. Raises Refused if the archive as a whole can't be used."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        size = _check_directory(file, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except Exception as error:  # zipfile raises almost anything on a broken central directory
            raise _bad_zip(f"The zip is damaged or incomplete ({error}).") from None
        self._entries = [
            entry for entry in self._zip.infolist() if not entry.is_dir() and not _is_hidden(entry.filename)
        ]
        self._limits = limits
        usable = (entry.file_size for entry in self._entries if entry.file_size <= limits.file_mb * MIB)
        self.unpacked_bytes = sum(usable)  # at most, of all its files
        self._check_entries(size)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[UploadedFile]:
        return (_read(self._zip, entry, self._limits) for entry in self._entries)

    def _check_entries(self, size: int) -> None:
        entries, limits = self._entries, self._limits
        if not entries:
            raise Refused(422, "no_picture", "The zip holds no files.", "Put pictures into it.")
        if len(entries) > limits.files:
            raise _too_many(limits)
        if self.unpacked_bytes > limits.total_mb * MIB:
            message = f"The zip unpacks to more than {limits.total_mb} MB."
            raise Refused(413, "too_large", message, "Send its pictures in several smaller ones.")
        if sum(entry.compress_size for entry in entries) > size:
            raise _bad_zip("The zip's files overlap, as those of a zip bomb do.")


def is_zip(beginning: bytes) -> bool:
    """Whether a file with these first four bytes is a zip."""
    return beginning.startswith((b"PK\x03\x04", END))


def _check_directory(file: BinaryIO, limits: Limits) -> int:
    """Bound the central directory before zipfile reads it whole. Return the size of the archive in bytes."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_64_SIZE - END_SIZE - LONGEST_COMMENT))
    tail = file.read()
    end = tail.rfind(END)
    if end < 0 or len(tail) < end + END_SIZE:
        raise _bad_zip("This is not a complete zip.")
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    is_64 = END_64 in tail[max(0, end - END_64_SIZE) : end]
    if is_64 or directory_bytes > DIRECTORY_BYTES_PER_FILE * limits.files:
        raise _too_many(limits)
    file.seek(0)
    return size


def _bad_zip(message: str) -> Refused:
    return Refused(400, "bad_zip", message, "Create it again and resend it.")


def _too_many(limits: Limits) -> Refused:
    message = f"The zip holds more than {limits.files:,} files."
    return Refused(413, "too_large", message, "Send them in several smaller ones.")


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: Limits) -> UploadedFile:
    if error := _fault(entry, limits):
        shown = (character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in entry.filename)
        return UploadedFile("".join(shown), error=error)
    try:
        with archive.open(entry) as file:
            content = file.read(limits.file_mb * MIB + 1)  # at most as many bytes as the zip says, checked by CRC
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        error = _bad_entry("The zip is damaged at this file.", "Create it again and resend it.")
        return UploadedFile(entry.filename, error=error)
    if is_zip(content):
        error = _bad_entry("A zip within a zip is not unpacked.", "Send it by itself.")
        return UploadedFile(entry.filename, error=error)
    return UploadedFile(entry.filename, content)


def _fault(entry: zipfile.ZipInfo, limits: Limits) -> Refused | None:
    """Why the entry is not unpacked; None if it can be."""
    if not _is_plain(entry.filename):
        message = "The file name points outside the zip or has unprintable characters."
        return Refused(400, "bad_name", message, "Rename the file.")
    if entry.file_size > limits.file_mb * MIB:
        return Refused(413, "too_large", f"The file has more than {limits.file_mb} MB.", "Send a smaller one.")
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    is_unusual = entry.compress_type not in METHODS
    is_bomb = entry.file_size > max(HARMLESS_SIZE, MAX_RATIO * entry.compress_size)
    bomb = f"It unpacks to more than {MAX_RATIO} times its size, as a zip bomb does."
    faults = (
        (entry.flag_bits & 0x1, "The file is encrypted.", "Create the zip without a password."),
        (is_link, "This is a link, not a picture.", "Put the picture itself into the zip."),
        (is_unusual, "The compression method is not supported.", "Create the zip with Deflate."),
        (is_bomb, bomb, "Send it by itself."),
    )
    return next((_bad_entry(message, hint) for applies, message, hint in faults if applies), None)


def _bad_entry(message: str, hint: str) -> Refused:
    return Refused(400, "bad_entry", message, hint)


def _is_plain(name: str) -> bool:
    """Whether a name stays inside the folder that it is unpacked into, on any system."""
    path = PurePosixPath(name)
    return name.isprintable() and not ({"\\", ":"} & set(name) or path.is_absolute() or ".." in path.parts)
