"""The rate of each client's uploads to the page, and the room that they take in the cache."""

import math

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.core.clients import client_of
from serving.core.errors import Refused
from serving.core.limits import KIB, MIB
from serving.core.received import BODY_PACE, announced_bytes, parts
from serving.middleware.bodies import UPLOAD, is_drained
from serving.services import Services

LONGEST_QUERY = 100  # bytes of an upload's id, which Gradio keeps to tell of its progress


class UploadMiddleware:
    """Counts what a client uploads: what it announces at once, the rest as it comes."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._rates, self._cache = app, services.rates, services.upload_cache
        self._most = services.limits.total_mb * MIB  # the upload of more is refused further in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. Raises Refused."""
        if scope["type"] != "http" or not scope["path"].startswith(UPLOAD):
            await self._app(scope, receive, send)
            return
        if len(scope["query_string"]) > LONGEST_QUERY:
            raise Refused(422, "wrong_shape", "upload_id is too long.", "Send a random one.")
        if scope["path"] != UPLOAD:
            await self._app(scope, receive, send)
            return
        client = client_of(scope)
        paid = min(announced_bytes(Headers(scope=scope)), self._most)
        try:
            self._rates.admit("upload", client, math.ceil(paid / KIB))
            await self._cache.add(0)
        except Refused:
            await is_drained(parts(receive, BODY_PACE))
            raise

        async def receive_counted() -> Message:
            nonlocal paid
            message = await receive()
            size = len(message.get("body", b""))
            await self._cache.add(size)
            paid -= size
            if paid < 0:
                self._rates.admit("upload", client, math.ceil(-paid / KIB))
                paid = 0
            return message

        await self._app(scope, receive_counted, send)
