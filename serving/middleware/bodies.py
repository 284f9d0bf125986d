"""Bounds of what is sent to the page's paths, whoever sends it. The API's routes read their bodies themselves."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from gradio.routes import file_upload_statuses
from gradio_client.utils import strip_invalid_filename_characters
from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.app import PATHS
from serving.core.clients import client_of
from serving.core.errors import Refused
from serving.core.json_bounds import check_bounds
from serving.core.limits import KIB, MIB, ClientLocks
from serving.core.received import (
    BODY_PACE,
    DRAINED,
    Pace,
    announced_bytes,
    body_too_large,
    check_announced,
    parts,
    read_body,
)  # fmt: skip
from serving.services import Services
from serving.uploads.cache import no_room, upload_folder
from serving.uploads.forms import is_form
from serving.uploads.page_upload import PageUpload

BODILESS = ("GET", "HEAD", "OPTIONS")
UPLOAD = "/gradio_api/upload"
LOGIN_BYTES = 16 * KIB
FILE_BYTES, FILE_VALUES = KIB, 20  # of an event, for each of its files: path, address, name and type
EVENT_BYTES, EVENT_VALUES = 64 * KIB, 1000  # of all else
FILE_KIB = 16  # that each uploaded file costs beside its bytes, since many small ones take time as well
UPLOAD_PACE = Pace(BODY_PACE.pause, 300)


class BodyMiddleware:
    """Has events come whole and within bounds before the page parses them; takes uploads, in place of Gradio."""

    def __init__(
        self, app: ASGIApp, services: Services, pace: Pace = BODY_PACE, upload_pace: Pace = UPLOAD_PACE
    ) -> None:
        self._app, self._services = app, services
        self._pace, self._upload_pace = pace, upload_pace
        files = services.limits.files
        self._event_bytes = EVENT_BYTES + FILE_BYTES * files
        self._event_values = EVENT_VALUES + FILE_VALUES * files
        self._upload_bytes = services.limits.total_mb * MIB
        self._writing = ClientLocks()  # of one client's uploads one is written at a time

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. Raises Refused."""
        if scope["type"] != "http" or scope["path"].startswith(PATHS):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["path"] == UPLOAD and is_form(headers.get("content-type", "")):
            await self._take_upload(scope, headers, receive, send)
        elif announced_bytes(headers) or "transfer-encoding" in headers:
            await self._pass_event(scope, headers, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _pass_event(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        is_login = scope["path"].rstrip("/") in ("/login", "/operator")
        limit = 0 if scope["method"] in BODILESS else LOGIN_BYTES if is_login else self._event_bytes
        with self._services.load.request(client_of(scope)) as held:
            body = await read_body(headers, receive, held, limit, self._pace)
            if not is_login:
                check_bounds(body, self._event_values)
            messages: list[Message] = [{"type": "http.request", "body": body}]

            async def receive_again() -> Message:
                return messages.pop() if messages else await receive()

            await self._app(scope, receive_again, send)

    async def _take_upload(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        check_announced(headers, self._upload_bytes)
        received = parts(receive, self._upload_pace)
        try:
            paths = await self._store(scope, headers, received)
        except OSError as error:
            logging.getLogger(__name__).error("An upload could not be kept: %s.", error.strerror)
            raise no_room(60) from None
        except Refused as refused:
            raise refused if await is_drained(received) else body_too_large(self._upload_bytes) from None
        self._services.upload_cache.added(paths)
        await JSONResponse(paths)(scope, receive, send)

    async def _store(self, scope: Scope, headers: Headers, received: AsyncIterator[bytes]) -> list[str]:
        """Write the files and return their paths; none stays behind of an upload that is not complete."""
        upload = PageUpload(headers["content-type"], upload_folder(), strip_invalid_filename_characters)
        progress_id, client = QueryParams(scope["query_string"]).get("upload_id"), client_of(scope)
        turn = self._writing.of(client)
        try:
            async for part in received:
                files = upload.files
                async with turn:
                    await asyncio.to_thread(upload.write, part)
                if upload.size > self._upload_bytes:
                    raise body_too_large(self._upload_bytes)
                self._services.rates.admit("upload", client, FILE_KIB * (upload.files - files))
                if progress_id and upload.name:
                    file_upload_statuses.append(progress_id, upload.name, part)
            async with turn:
                return await asyncio.to_thread(upload.finish)
        finally:
            if progress_id:
                file_upload_statuses.set_done(progress_id)
            async with turn:
                await asyncio.to_thread(upload.discard)


async def is_drained(received: AsyncIterator[bytes]) -> bool:
    """Read on for a while, since most programs send all before they listen. Tell whether that was all."""
    dropped = 0
    with suppress(Refused):  # it is slow or has left
        async for part in received:
            dropped += len(part)
            if dropped > DRAINED:
                return False
    return True
