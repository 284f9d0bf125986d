"""The files of an untrusted zip, read one at a time in memory and within limits; nothing is written to disk."""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.uploads.names import is_added_by_system, leads_out, tidy

DIRECTORY_BYTES_PER_FILE = 1024
"""Room in the central directory for each file allowed: its name and what systems add, hidden files included."""
HARMLESS_SIZE = MIB  # a file that unpacks to less may have any compression ratio: white paper compresses well
MAX_RATIO = 100
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of others Python unpacks more than it is asked for
END, END_64, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"  # signatures of the records that end a zip
END_SIZE, END_64_SIZE, LOCATOR_64_SIZE, LONGEST_COMMENT = 22, 56, 20, 65535
UTF8_FLAG = 0x800  # of an entry: its name is UTF-8
HEADERS = re.compile(rb"PK\x01\x02.{6}|PK\x03\x04.{4}", re.DOTALL)  # of entries, up to and with their flags
OF_MANY = (".npy", ".csv", ".tsv", ".gz", "ubyte")
"""Endings of files that hold many pictures, and may have as many bytes as all together."""
OFFICE = "[Content_Types].xml"  # a file in what Word and Excel save, which are zips


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
            self._zip = _opened(file)
        except Exception as error:  # zipfile raises almost anything on a broken central directory
            raise _bad_zip(f"The zip is damaged or incomplete ({error}).") from None
        named = [(_name(entry), entry) for entry in self._zip.infolist()]
        self._entries = [
            (tidy(name), entry) for name, entry in named if not name.endswith("/") and not is_added_by_system(name)
        ]
        self._limits = limits
        usable = (entry.file_size for name, entry in self._entries if entry.file_size <= most_bytes(name, limits))
        self.unpacked_bytes = sum(usable)  # at most, of all its files
        self._check_entries(size)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[UploadedFile]:
        return (_read(self._zip, name, entry, self._limits) for name, entry in self._entries)

    def _check_entries(self, size: int) -> None:
        entries, limits = self._entries, self._limits
        if not entries:
            raise Refused(422, "no_picture", "The zip holds no files.", "Put pictures into it.")
        if len(entries) > limits.files:
            raise _too_many(limits)
        if OFFICE in self._zip.namelist():
            message = "This is a file of Word or Excel, not a zip of pictures."
            raise Refused(422, "bad_upload", message, "Save a table as CSV, and send pictures as files of their own.")
        if self.unpacked_bytes > limits.total_mb * MIB:
            message = f"The zip unpacks to more than {limits.total_mb} MB."
            raise Refused(413, "too_large", message, "Send its pictures in several smaller ones.")
        if sum(entry.compress_size for _, entry in entries) > size:
            raise _bad_zip("The zip's files overlap, as those of a zip bomb do.")


def is_zip(beginning: bytes) -> bool:
    """Whether a file with these first four bytes is a zip."""
    return beginning.startswith((b"PK\x03\x04", END))


def _check_directory(file: BinaryIO, limits: Limits) -> int:
    """Bound the central directory before zipfile reads it whole. Return the size of the archive in bytes."""
    size = file.seek(0, 2)
    file.seek(max(0, size - END_64_SIZE - LOCATOR_64_SIZE - END_SIZE - LONGEST_COMMENT))
    tail = file.read()
    end = tail.rfind(END)
    if end < 0 or len(tail) < end + END_SIZE:
        raise _bad_zip("This is not a complete zip.")
    directory_bytes = int.from_bytes(tail[end + 12 : end + 16], "little")
    locator = end - LOCATOR_64_SIZE
    record = tail[max(0, locator - END_64_SIZE) : max(0, locator)]
    if record.startswith(END_64) and tail.startswith(LOCATOR_64, locator):  # as zipfile finds it
        directory_bytes = int.from_bytes(record[40:48], "little")
    if directory_bytes > DIRECTORY_BYTES_PER_FILE * limits.files:
        raise _too_many(limits)
    file.seek(0)
    return size


def _bad_zip(message: str) -> Refused:
    return Refused(400, "bad_zip", message, "Create it again and resend it.")


def _too_many(limits: Limits) -> Refused:
    message = f"The zip holds more than {limits.files:,} files."
    return Refused(413, "too_large", message, "Send them in several smaller ones.")


def _opened(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except UnicodeDecodeError:  # a name is said to be UTF-8, and is not
        file.seek(0)
        return zipfile.ZipFile(io.BytesIO(HEADERS.sub(_without_utf8_flag, file.read())))


def _without_utf8_flag(header: re.Match[bytes]) -> bytes:
    return header[0][:-1] + bytes([header[0][-1] & ~(UTF8_FLAG >> 8)])


def _name(entry: zipfile.ZipInfo) -> str:
    """With slashes. Many systems write UTF-8 and do not say so; of anything else zipfile shows what MS-DOS would."""
    name = entry.filename
    if not entry.flag_bits & UTF8_FLAG:
        with suppress(UnicodeDecodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def most_bytes(name: str, limits: Limits) -> int:
    """How many bytes a file of this name may have, unpacked."""
    return (limits.total_mb if name.lower().endswith(OF_MANY) else limits.file_mb) * MIB


def _read(archive: zipfile.ZipFile, name: str, entry: zipfile.ZipInfo, limits: Limits) -> UploadedFile:
    if error := _fault(name, entry, limits):
        return UploadedFile(name, error=error)
    try:
        with archive.open(entry) as file:
            content = file.read(most_bytes(name, limits) + 1)  # at most as many bytes as the zip says, checked by CRC
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        error = _bad_entry("The zip is damaged at this file.", "Create it again and resend it.")
        return UploadedFile(name, error=error)
    if is_zip(content):
        error = _bad_entry("A zip within a zip is not unpacked.", "Send it by itself.")
        return UploadedFile(name, error=error)
    return UploadedFile(name, content)


def _fault(name: str, entry: zipfile.ZipInfo, limits: Limits) -> Refused | None:
    """Why the entry is not unpacked; None if it can be."""
    if leads_out(name):
        return Refused(400, "bad_name", "The file name points outside the zip.", "Rename the file.")
    if entry.file_size > (most := most_bytes(name, limits)):
        return Refused(413, "too_large", f"The file has more than {most // MIB} MB.", "Send a smaller one.")
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
