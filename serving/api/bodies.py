"""Request bodies, read within bounds of size and time: JSON and encoded pictures."""

import asyncio
import io
import re
from dataclasses import replace
from typing import Any, TypeVar

import pydantic
from fastapi import Request

from experiments.preprocessing.formats import TYPES, format_of
from serving.api.numbers import MAX_NUMBERS
from serving.api.pictures import picture_in, picture_in_text
from serving.api.schemas import ImageBody, Schema
from serving.core.access import Caller
from serving.core.errors import Refused, shortened
from serving.core.json_bounds import check_bounds
from serving.core.limits import MIB, Held, Load, check_size
from serving.core.received import read_body
from serving.uploads.forms import is_form, unpack_form
from serving.uploads.zips import Archive, Limits, UploadedFile, is_zip

MAX_VALUES = 1000  # of a JSON body; none here takes more than a dozen
OFF_THE_LOOP = 256 * 1024  # bytes of a JSON body from which on parsing it would keep other requests waiting
ZIPS = ("application/zip", "application/x-zip-compressed")
JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
FIELDS = "application/x-www-form-urlencoded"
VALUE_BYTES = 32  # of memory for a number of a JSON body
Body = TypeVar("Body", bound=Schema)
FORM_START = re.compile(rb'--([^\r\n"\\]{1,70})\r\nContent-Disposition:', re.IGNORECASE)
TEXT = re.compile(rb"(?:\xef\xbb\xbf)?\s*[ -~]{1,8}")

FILE = {"type": "string", "format": "binary"}


def request_body(content: dict[str, Any]) -> dict[str, Any]:
    """Document the body of a route that reads it itself. content: content type -> JSON schema."""
    schemas = {content_type: {"schema": schema} for content_type, schema in content.items()}
    return {"requestBody": {"required": True, "content": schemas}}


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {field: schema}, "required": [field]}


PICTURE_BODY = request_body(
    {
        **dict.fromkeys((*TYPES, BYTES), FILE),
        JSON: ImageBody.model_json_schema(),
        FORM: _form("image", FILE),
        FIELDS: _form("image", {"type": "string"}),
    }
)
PICTURES_BODY = request_body(
    {**dict.fromkeys((*ZIPS, BYTES), FILE), FORM: _form("images", {"type": "array", "items": FILE})}
)


def json_body(schema: type[Schema]) -> dict[str, Any]:
    """Document a body of JSON."""
    return request_body({JSON: schema.model_json_schema()})


async def read_picture(request: Request, held: Held, limits: Limits) -> bytes:
    """Return the encoded picture of a body: raw, in a form, in JSON or as text. The content decides, whatever its type
    says. Raises Refused."""
    kind = _media_type(request)
    is_raw = kind in (*TYPES, BYTES)
    data = body = await _read(request, held, limits.file_mb if is_raw else 2 * limits.file_mb)
    try:
        if form := _form_type(_content_type(request), body):
            held.reserve(len(body))
            data = await asyncio.to_thread(_picture_in_form, form, body, limits)
        elif format_of(body) is None and TEXT.match(body):
            held.reserve(len(body) + VALUE_BYTES * min(body.count(b","), MAX_NUMBERS))
            data = await asyncio.to_thread(picture_in, body) if len(body) > OFF_THE_LOOP else picture_in(body)
    except Refused as refused:
        if is_raw:  # the decoder tells what is wrong with it
            return body
        if refused.code == "bad_base64" and kind not in (JSON, FORM, FIELDS):
            raise _wrong_type(kind, (*TYPES, BYTES, FORM, JSON)) from None
        raise
    check_size(len(data), limits.file_mb, "The picture")
    return data


def _form_type(content_type: str, body: bytes) -> str:
    """The type of a multipart body, "" of any other: the boundary is its first line where a program left it out."""
    if is_form(content_type) and "boundary" in content_type:
        return content_type
    if start := FORM_START.match(body):
        return f'{FORM}; boundary="{start[1].decode("latin-1")}"'
    return content_type if is_form(content_type) else ""


def _picture_in_form(content_type: str, body: bytes, limits: Limits) -> bytes:
    (file,) = unpack_form(content_type, body, replace(limits, files=1), fields=True)
    if file.error:
        raise file.error
    return picture_in(file.content)


async def read_pictures(request: Request, held: Held, limits: Limits) -> list[UploadedFile]:
    """Return the pictures of a zip or multipart body, in their order. Raises Refused."""
    body = await _read(request, held, limits.total_mb)
    if not is_zip(body[:4]):
        _kind(request, (*ZIPS, BYTES, FORM))
    if is_form(_content_type(request)):
        files = await asyncio.to_thread(unpack_form, _content_type(request), body, limits)
        if len(files) > 1 or not files[0].content.startswith(b"PK"):
            held.reserve(len(body))
            return files
        body = files[0].content
    archive = await asyncio.to_thread(Archive, io.BytesIO(body), limits)
    held.reserve(archive.unpacked_bytes)
    return await asyncio.to_thread(list, archive)


async def read_json(request: Request, held: Held, megabytes: int, schema: type[Body]) -> Body:
    """Return a JSON body, of so many MiB at most. Raises Refused."""
    _kind(request, (JSON,))
    return await _validated(await _read(request, held, megabytes), schema)


async def read_command(request: Request, load: Load, schema: type[Body]) -> Body:
    """Return the small JSON body of an operator's route. Raises Refused."""
    caller: Caller = request.state.caller
    with load.request(caller.client) as held:
        return await read_json(request, held, 1, schema)


async def _read(request: Request, held: Held, megabytes: int) -> bytes:
    """Return the whole body; from here on the request counts as one that is answered. Raises Refused."""
    body = await read_body(request.headers, request.receive, held, megabytes * MIB)
    if not body:
        raise Refused(422, "empty", "The body is empty.", "Send a picture.")
    held.enter()
    return body


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _media_type(request: Request) -> str:
    return _content_type(request).partition(";")[0].strip().lower()


def _kind(request: Request, accepted: tuple[str, ...]) -> str:
    kind = _media_type(request)
    if kind not in accepted:
        raise _wrong_type(kind, accepted)
    return kind


def _wrong_type(kind: str, accepted: tuple[str, ...]) -> Refused:
    sent = f"{kind[:60]!r} is not accepted here." if kind else "The request has no Content-Type."
    return Refused(415, "wrong_type", sent, f"Send one of {', '.join(accepted)}.")


async def decoded(text: str) -> bytes:
    """Decode base64 or a data URL of a picture. Raises Refused."""
    return await asyncio.to_thread(picture_in_text, text) if len(text) > OFF_THE_LOOP else picture_in_text(text)


async def _validated(body: bytes, schema: type[Body]) -> Body:
    return await asyncio.to_thread(_parse, body, schema) if len(body) > OFF_THE_LOOP else _parse(body, schema)


def _parse(body: bytes, schema: type[Body]) -> Body:
    check_bounds(body, MAX_VALUES)
    hint = f"Send {{{', '.join(f'{name!r}: ...' for name in schema.model_fields)}}}.".replace("'", '"')
    try:
        return schema.model_validate_json(body)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise Refused(400, "bad_json", "The body is not JSON.", hint) from None
        raise wrong_shape(first["loc"], first["msg"], hint) from None


def wrong_shape(where: tuple[int | str, ...], what: str, hint: str) -> Refused:
    """A request whose fields are not those that are expected."""
    field = shortened(".".join(map(str, where)), 100)
    return Refused(422, "wrong_shape", f"{field}: {what}." if field else f"{what}.", hint)
