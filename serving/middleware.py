"""The middleware of page and API: request ids, checks of origin, host and size, rates, counts, and the caller."""

import json
import logging

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.app import PATHS, ROUTE_PATHS, answer_error
from serving.api.bodies import announced_bytes
from serving.core.access import Caller
from serving.core.errors import Refused
from serving.core.limits import check_size
from serving.core.logs import REQUEST_ID, request_id
from serving.services import Services

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PAGE_BODY_MB = 12  # MiB: an upload of the largest picture that the page takes, or an event


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
            self._check(scope, headers, is_api)
            if is_api:
                user = await self._page_user(scope, headers)
                scope.setdefault("state", {})["caller"] = Caller(number, headers, _address(scope), user)
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            # Refused here or unforeseen: the API's expected errors are answered further in, the page's by Gradio.
            if is_answered or not (is_api or isinstance(error, Refused)):
                raise
            response = await answer_error(Request(scope), error)
            await response(scope, receive, send_with_id)

    def _check(self, scope: Scope, headers: dict[str, str], is_api: bool) -> None:
        """Raises Refused."""
        self._services.access.check_origin(headers)
        if is_api or scope["method"] not in SAFE_METHODS:
            self._services.access.check_host(headers)
        if not is_api and scope["method"] == "POST" and scope["path"].startswith(("/gradio_api/", "/login")):
            limit = PAGE_BODY_MB
            if scope["path"] == "/gradio_api/upload":  # the pictures of a batch come together
                limit = max(limit, self._services.limits.total_mb)
            check_size(announced_bytes(headers), limit)
            self._services.rates.admit("page", _address(scope))

    async def _page_user(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Return who is logged in on the page. Its sessions are Gradio's, whose own route tells."""
        if "access-token" not in headers.get("cookie", ""):
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


def _address(scope: Scope) -> str:
    """Return the client's address; behind a trusted proxy uvicorn has put the real one there."""
    return scope["client"][0] if scope.get("client") else ""
