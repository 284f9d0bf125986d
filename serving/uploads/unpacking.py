"""The pictures in a zip or a multipart body, unpacked in memory within bounds; nothing is written to disk."""

import io
from dataclasses import dataclass

from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File

from serving.core.errors import Refused, too_large
from serving.core.limits import MIB
from serving.uploads.zips import Archive, EmptyError, Limits, TooLargeError, ZipError
from serving.uploads.zips import File as Zipped


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
    error: Refused | None = None


def unpack_form(content_type: str, body: bytes, bounds: Bounds, most: int) -> list[Picture]:
    """The files of a multipart body, whatever their fields are called. Raises Refused."""
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
        raise Refused(400, "bad_multipart", f"The multipart body is malformed ({error}).", "Send it again.") from None
    if not pictures:
        raise Refused(422, "no_picture", "The body holds no file.", "Send a part with a file name for each picture.")
    return [_bounded(picture, bounds) for picture in pictures] if most > 1 else pictures


def open_zip(body: bytes, bounds: Bounds) -> Archive:
    """A zip, read as far as its table of contents. Raises Refused."""
    limits = Limits(bounds.batch_images, bounds.image_mb * MIB, bounds.batch_mb * MIB)
    try:
        return Archive(io.BytesIO(body), limits)
    except EmptyError as error:
        raise _refused(422, "no_picture", error) from None
    except TooLargeError as error:
        raise _refused(413, "too_large", error) from None
    except ZipError as error:
        raise _refused(400, "bad_zip", error) from None


def unpack_zip(archive: Archive) -> list[Picture]:
    """The files of a zip in its order; an entry that can't be taken says why."""
    return [_picture(file) for file in archive]


def _picture(file: Zipped) -> Picture:
    status = 413 if file.code == "too_large" else 400
    return Picture(file.name, file.content, _refused(status, file.code, file.error) if file.code else None)


def _refused(status: int, code: str, reason: ZipError | str) -> Refused:
    """reason: what is wrong, then what to do, a sentence each."""
    message, _, hint = str(reason).rpartition(". ")
    return Refused(status, code, f"{message}.", hint)


def _bounded(picture: Picture, bounds: Bounds) -> Picture:
    if len(picture.data) <= bounds.image_mb * MIB:
        return picture
    return Picture(picture.name, b"", too_large("The picture", f"{bounds.image_mb} MiB", "Send a smaller one."))
