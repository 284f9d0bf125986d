"""Request ids, checks of origin and host, rates, counts, and the caller: of page and API alike."""

import json
import logging
from collections import Counter
from collections.abc import Iterable

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.app import PATHS, ROUTE_PATHS, answer_error
from serving.core.clients import client_of
from serving.core.errors import Refused
from serving.core.logs import REQUEST_ID, request_id
from serving.middleware.doors import needs_login
from serving.page.languages import catalogue_of
from serving.services import Services

ONCE = (b"authorization", b"content-length", b"content-type", b"host", b"origin", b"x-api-key")
"""Headers of which two layers could each believe another, were they sent twice."""


class RequestMiddleware:
    """Names, checks and counts requests. Plain ASGI: Starlette's BaseHTTPMiddleware costs each a task of its own."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whose state has its `caller` from here on if it is for the API."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        number = request_id(headers.get("x-request-id"))
        REQUEST_ID.set(number)
        is_api, is_answered = scope["path"].startswith(PATHS), False

        async def send_with_id(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", number.encode())]
                if is_api:
                    self._count(scope, message["status"])
            await send(message)

        try:
            await self._check(scope, headers, is_api)
            user = await self._page_user(scope, headers) if is_api or needs_login(scope["path"]) else None
            caller = await self._services.access.identify(number, headers, client_of(scope), user)
            scope.setdefault("state", {})["caller"] = caller
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # Refused here or unforeseen: the API's expected errors are answered further in, the page's by Gradio.
            if is_answered:
                raise
            catalogue = None if is_api else catalogue_of(Request(scope))
            response = await answer_error(Request(scope), error, catalogue.translate if catalogue else str)
            await response(scope, receive, send_with_id)

    async def _check(self, scope: Scope, headers: dict[str, str], is_api: bool) -> None:
        """Raises Refused."""
        if len(headers) < len(scope["headers"]):
            check_repeated(scope["headers"])
        self._services.access.check_origin(headers, scope["scheme"])
        self._services.access.check_site(scope["method"], scope["path"], headers)
        self._services.access.check_host(headers)
        if scope["method"] == "POST" and scope["path"] == "/login":
            await self._services.access.credentials.admit_login(client_of(scope))
        elif not is_api and scope["method"] == "POST" and scope["path"].startswith("/gradio_api/"):
            self._services.rates.admit("page", client_of(scope))

    async def _page_user(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Return who is logged in on the page. Its sessions are Gradio's, whose own route tells."""
        if not self._services.settings.username or "access-token" not in headers.get("cookie", ""):
            return None
        status, body = 0, b""

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            nonlocal status, body
            status, body = message.get("status", status), body + message.get("body", b"")

        cookie = [(b"cookie", headers["cookie"].encode("latin-1"))]
        question = {"method": "GET", "path": "/gradio_api/user", "query_string": b"", "headers": cookie}
        await self._app({**scope, **question}, receive, send)
        user: str | None = json.loads(body) if status == 200 else None
        return user

    def _count(self, scope: Scope, status: int) -> None:
        route = scope["path"] if scope["path"] in ROUTE_PATHS else "other"  # anyone can make paths up
        self._services.metrics.count_request(route, status)
        level = logging.DEBUG if status < 400 else logging.INFO if status < 500 else logging.ERROR
        logging.getLogger(__name__).log(level, "%s %s: %s", scope["method"], route, status)


def check_repeated(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises Refused 400 for a request that contradicts itself."""
    counts = Counter(name for name, _ in headers)
    for name in ONCE:
        if counts[name] > 1:
            raise Refused(400, "repeated_header", f"The header {name.decode()} comes twice.", "Send it once.")
