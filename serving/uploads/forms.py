"""The files of a multipart body: parsed in memory; nothing is written to disk."""

from collections.abc import Iterator
from contextlib import contextmanager

from python_multipart import create_form_parser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, parse_options_header

from serving.core.errors import Refused, too_large
from serving.core.limits import MIB
from serving.uploads.names import tidy
from serving.uploads.zips import Limits, UploadedFile

OTHER_FIELDS = 100  # that are no files and are dropped


def unpack_form(content_type: str, body: bytes, limits: Limits, fields: bool = False) -> list[UploadedFile]:
    """The files of a multipart body, whatever their fields are called; at least one. fields: the longest of the other
    fields in place of a file, if there is none. Raises Refused."""
    files: list[UploadedFile] = []
    longest = UploadedFile("")  # of the fields

    def add(part: File) -> None:
        part.file_object.seek(0)
        name, content = tidy((part.file_name or b"").decode(errors="replace")), part.file_object.read()
        part.close()
        if not name and not content:  # a browser's field in which no file was chosen
            return
        if len(files) == limits.files:
            raise too_large("The number of pictures", str(limits.files), "Send fewer at a time.")
        files.append(_within(UploadedFile(name, content), limits))

    def add_field(field: Field) -> None:
        nonlocal longest
        if len(field.value or b"") > len(longest.content):
            longest = UploadedFile((field.field_name or b"").decode(errors="replace"), field.value or b"")

    headers = {"Content-Type": content_type.encode("latin-1")}
    sizes = dict.fromkeys(("MAX_MEMORY_FILE_SIZE", "MAX_FIELD_SIZE"), len(body) + 1)
    with parsing():
        parser = create_form_parser(headers, add_field if fields else None, add, sizes)
        check_count(body.count(delimiter(content_type)), limits.files + OTHER_FIELDS)
        parser.write(body)
        parser.finalize()
    if longest.content and not files:
        files.append(longest)
    if not files:
        raise Refused(422, "no_picture", "The body holds no file.", "Send each picture as a part with a file name.")
    return files


def _within(file: UploadedFile, limits: Limits) -> UploadedFile:
    if len(file.content) <= limits.file_mb * MIB:
        return file
    return UploadedFile(file.name, error=too_large("The picture", f"{limits.file_mb} MiB", "Send a smaller one."))


def is_form(content_type: str) -> bool:
    """Whether a body of this type is multipart."""
    return parse_options_header(content_type)[0] == b"multipart/form-data"


def delimiter(content_type: str) -> bytes:
    """What separates the parts of a body of this type."""
    return b"\r\n--" + parse_options_header(content_type)[1].get(b"boundary", b"")


def check_count(delimiters: int, most: int) -> None:
    """Bound the parts before they are parsed, which takes a while for each, and for what only begins like one."""
    if delimiters > most:
        raise too_large("The number of parts", f"{most:,}", "Send fewer at a time.")


@contextmanager
def parsing() -> Iterator[None]:
    """Raises Refused for a malformed body that is parsed within the block."""
    try:
        yield
    except (FormParserError, ValueError) as error:
        raise bad_form(str(error)) from None


def bad_form(reason: str) -> Refused:
    """A malformed body."""
    return Refused(400, "bad_multipart", f"The multipart body is malformed ({reason}).", "Send it again.")
