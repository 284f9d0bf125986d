"""The pictures in a zip or a multipart body, unpacked in memory within bounds; nothing is written to disk."""

import io
import stat
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File

from serving.errors import ApiError, too_large
from serving.limits import MIB

ENTRY = b"PK\x01\x02"  # begins each entry of a zip's directory
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers add


@dataclass(frozen=True)
class Bounds:
    """How much one request may carry."""

    image_mb: int
    batch_mb: int
    batch_images: int


@dataclass(frozen=True)
class Picture:
    """One picture as it was sent: its name there and its bytes, or why it can't be taken."""

    name: str
    data: bytes
    error: ApiError | None = None


def unpack_form(content_type: str, body: bytes, bounds: Bounds, most: int) -> list[Picture]:
    """The files of a multipart body, whatever their fields are called. Raises ApiError."""
    pictures: list[Picture] = []

    def keep(file: File) -> None:
        if len(pictures) == most:
            raise too_large("The number of pictures", str(most), "Send fewer at a time.")
        file.file_object.seek(0)
        name = (file.file_name or b"").decode(errors="replace")
        pictures.append(Picture(name, file.file_object.read()))
        file.close()

    config = {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "MAX_FIELD_SIZE": MIB, "MAX_FIELDS": 100}
    try:
        parser = create_form_parser({"Content-Type": content_type.encode("latin-1")}, None, keep, config)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise ApiError(400, "bad_multipart", f"The multipart body is malformed ({error}).", "Send it again.") from None
    if not pictures:
        raise ApiError(422, "no_picture", "The body holds no file.", "Send a part with a file name for each picture.")
    return [_bounded(picture, bounds) for picture in pictures] if most > 1 else pictures


def unpack_zip(body: bytes, bounds: Bounds) -> list[Picture]:
    """The files of a zip in its order; an entry that can't be taken says why. Raises ApiError for all of it."""
    if body.count(ENTRY) > 2 * bounds.batch_images + 100:  # before a directory of millions is read
        raise too_large("The number of pictures", str(bounds.batch_images), "Send fewer at a time.")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            entries = [entry for entry in archive.infolist() if not (entry.is_dir() or _is_litter(entry.filename))]
            if len(entries) > bounds.batch_images:
                raise too_large("The number of pictures", str(bounds.batch_images), "Send fewer at a time.")
            pictures = _unpack(archive, entries, bounds)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise ApiError(400, "bad_zip", f"The zip can't be read ({error}).", "Make it anew.") from None
    if not pictures:
        raise ApiError(422, "no_picture", "The zip is empty.", "Put pictures into it.")
    return pictures


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], bounds: Bounds) -> list[Picture]:
    left, pictures = bounds.batch_mb * MIB, []
    for entry in entries:
        picture = _entry(archive, entry, bounds)
        left -= len(picture.data)
        if left < 0:
            raise too_large("What the zip unpacks to", f"{bounds.batch_mb} MiB")
        pictures.append(picture)
    return pictures


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bounds: Bounds) -> Picture:
    if error := _refusal(entry):
        return Picture(entry.filename, b"", error)
    try:
        with archive.open(entry) as file:
            data = file.read(bounds.image_mb * MIB + 1)  # its own word on its size may be a lie
    except Exception as problem:  # zipfile raises almost anything on a damaged entry
        reason = f"This entry of the zip can't be read ({problem})."
        return Picture(entry.filename, b"", ApiError(400, "bad_entry", reason, "Make the zip anew."))
    return _bounded(Picture(entry.filename, data), bounds)


def _refusal(entry: zipfile.ZipInfo) -> ApiError | None:
    path, windows = PurePosixPath(entry.filename.replace("\\", "/")), PureWindowsPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or windows.drive:
        return ApiError(400, "bad_name", "The name leads out of the zip.", "Name files inside it.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return ApiError(400, "bad_entry", "This entry is a link.", "Put the file itself into the zip.")
    if entry.flag_bits & 1:
        return ApiError(400, "bad_entry", "This entry is encrypted.", "Send it without a password.")
    return None


def _bounded(picture: Picture, bounds: Bounds) -> Picture:
    if len(picture.data) <= bounds.image_mb * MIB:
        return picture
    return Picture(picture.name, b"", too_large("The picture", f"{bounds.image_mb} MiB", "Send a smaller one."))


def _is_litter(name: str) -> bool:
    return any(part in LITTER for part in PurePosixPath(name).parts)
