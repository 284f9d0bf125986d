"""Request bodies, read within bounds of size and time: JSON and encoded pictures."""

import asyncio
import base64
import binascii
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pydantic
from fastapi import Request
from starlette.requests import ClientDisconnect

from serving.api.schemas import ImageBody, Schema
from serving.core.errors import Refused, too_large
from serving.core.limits import MIB, Load, Slot, check_size
from serving.uploads.forms import unpack_form
from serving.uploads.zips import Archive, Limits, UploadedFile

READ_SECONDS = 30.0  # within which a body has to arrive
OVERRUN = 3  # times the limit, after which a body that is too large is no longer read
IMAGES = ("image/png", "image/jpeg", "image/webp")
ZIPS = ("application/zip", "application/x-zip-compressed")
JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
Body = TypeVar("Body", bound=Schema)
DATA_URL = re.compile(r"data:image/[a-z+.-]{1,20};base64,")


FILE = {"type": "string", "format": "binary"}


def request_body(content: dict[str, Any]) -> dict[str, Any]:
    """Document the body of a route that reads it itself. content: content type -> JSON schema."""
    schemas = {content_type: {"schema": schema} for content_type, schema in content.items()}
    return {"requestBody": {"required": True, "content": schemas}}


def _form(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {field: schema}, "required": [field]}


PICTURE_BODY = request_body(
    {**dict.fromkeys((*IMAGES, BYTES), FILE), JSON: ImageBody.model_json_schema(), FORM: _form("image", FILE)}
)
PICTURES_BODY = request_body(
    {**dict.fromkeys((*ZIPS, BYTES), FILE), FORM: _form("images", {"type": "array", "items": FILE})}
)


def json_body(schema: type[Schema]) -> dict[str, Any]:
    """Document a body of JSON."""
    return request_body({JSON: schema.model_json_schema()})


async def read_picture(request: Request, slot: Slot, limits: Limits) -> bytes:
    """Return the encoded picture of a raw, JSON or multipart body. Raises Refused."""
    kind = _kind(request, (*IMAGES, BYTES, JSON, FORM))
    megabytes = limits.file_mb if kind in (*IMAGES, BYTES) else 2 * limits.file_mb  # base64, other parts
    body = await _read(request, slot, megabytes)
    if kind == JSON:
        data = from_base64(_validated(body, ImageBody).image)
    elif kind == FORM:
        (file,) = await asyncio.to_thread(unpack_form, _content_type(request), body, replace(limits, files=1))
        if file.error:
            raise file.error
        data = file.content
    else:
        data = body
    check_size(len(data), limits.file_mb, "The picture")
    return data


async def read_pictures(request: Request, slot: Slot, limits: Limits) -> list[UploadedFile]:
    """Return the pictures of a zip or multipart body, in their order. Raises Refused."""
    kind = _kind(request, (*ZIPS, BYTES, FORM))
    body = await _read(request, slot, limits.total_mb)
    if kind == FORM:
        files = await asyncio.to_thread(unpack_form, _content_type(request), body, limits)
        if len(files) > 1 or not files[0].content.startswith(b"PK"):
            return files
        body = files[0].content
    archive = await asyncio.to_thread(Archive, io.BytesIO(body), limits)
    slot.reserve(archive.unpacked_bytes)
    return await asyncio.to_thread(list, archive)


async def read_json(request: Request, slot: Slot, megabytes: int, schema: type[Body]) -> Body:
    """Return a JSON body, of so many MiB at most. Raises Refused."""
    _kind(request, (JSON,))
    return _validated(await _read(request, slot, megabytes), schema)


async def read_command(request: Request, load: Load, schema: type[Body]) -> Body:
    """Return the small JSON body of an operator's route. Raises Refused."""
    with load.slot() as slot:
        return await read_json(request, slot, 1, schema)


async def _read(request: Request, slot: Slot, megabytes: int) -> bytes:
    """Return the whole body. Raises Refused for one that is too large, incomplete or too slow."""
    if announced_bytes(request.headers) > OVERRUN * megabytes * MIB:
        raise too_large("The body", f"{megabytes} MiB")
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _receive(request, slot, megabytes)
    except TimeoutError:
        raise Refused(408, "too_slow", f"The body took over {READ_SECONDS:.0f} s.", "Send it at once.") from None
    except ClientDisconnect:
        raise Refused(400, "incomplete", "The body ended before it was complete.", "Send it again.") from None


async def _receive(request: Request, slot: Slot, megabytes: int) -> bytes:
    """Read a body that is too large to the end if that is near, since most programs send all before they listen."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= megabytes * MIB:
            slot.reserve(len(chunk))
            chunks.append(chunk)
        elif size > OVERRUN * megabytes * MIB:
            break
    check_size(size, megabytes)
    if not size:
        raise Refused(422, "empty", "The body is empty.", "Send a picture.")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def announced_bytes(headers: Mapping[str, str]) -> int:
    """Return the size that a request announces, 0 where it does not."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "")


def _kind(request: Request, accepted: tuple[str, ...]) -> str:
    kind = _content_type(request).partition(";")[0].strip().lower()
    if kind not in accepted:
        sent = f"{kind[:60]!r} is not accepted here." if kind else "The request has no Content-Type."
        raise Refused(415, "wrong_type", sent, f"Send one of {', '.join(accepted)}.")
    return kind


def from_base64(text: str) -> bytes:
    """Decode base64 or a data URL of a picture. Raises Refused."""
    try:
        return base64.b64decode(DATA_URL.sub("", text, count=1) if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400, "bad_base64", "The image is not base64.", "Encode the file's bytes.") from None


def _validated(body: bytes, schema: type[Body]) -> Body:
    hint = f"Send {{{', '.join(f'{name!r}: ...' for name in schema.model_fields)}}}.".replace("'", '"')
    try:
        return schema.model_validate_json(body)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise Refused(400, "bad_json", "The body is not JSON.", hint) from None
        where = ".".join(map(str, first["loc"]))
        message = f"{where}: {first['msg']}." if where else f"{first['msg']}."
        raise Refused(422, "wrong_shape", message, hint) from None
