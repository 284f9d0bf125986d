"""The files of a multipart body, parsed in memory; nothing is written to disk."""

from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import File

from serving.core.errors import Refused, too_large
from serving.core.limits import MIB
from serving.uploads.zips import Limits, UploadedFile


def unpack_form(content_type: str, body: bytes, limits: Limits) -> list[UploadedFile]:
    """The files of a multipart body, whatever their fields are called; at least one. Raises Refused."""
    files: list[UploadedFile] = []

    def add(part: File) -> None:
        if len(files) == limits.files:
            raise too_large("The number of pictures", str(limits.files), "Send fewer at a time.")
        part.file_object.seek(0)
        name, content = (part.file_name or b"").decode(errors="replace"), part.file_object.read()
        part.close()
        if len(content) > limits.file_mb * MIB:
            error = too_large("The picture", f"{limits.file_mb} MiB", "Send a smaller one.")
            files.append(UploadedFile(name, error=error))
        else:
            files.append(UploadedFile(name, content))

    config = {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "MAX_FIELD_SIZE": MIB, "MAX_FIELDS": 100}
    try:
        parser = create_form_parser({"Content-Type": content_type.encode("latin-1")}, None, add, config)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise Refused(400, "bad_multipart", f"The multipart body is malformed ({error}).", "Send it again.") from None
    if not files:
        raise Refused(422, "no_picture", "The body holds no file.", "Send each picture as a part with a file name.")
    return files
