"""Before page and API: the request's id, foreign origins, the page's rate limit; then whose request it is."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import cookie_parser

from serving.api.app import PATHS, build_api
from serving.core.access import Caller
from serving.core.errors import ApiError
from serving.core.limits import check_size
from serving.core.logs import REQUEST_ID, request_id
from serving.services import Services

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = ("GET", "HEAD", "OPTIONS")
PAGE_BODY_MB = 12  # MiB: an upload of the largest picture that the page takes, or an event


def lifespan(services: Services) -> Callable[[FastAPI], Any]:
    """For the page's server: puts the gate before everything of Gradio's, and starts the readers."""

    @asynccontextmanager
    async def run(app: FastAPI) -> Any:
        app.middleware_stack = Gate(app.middleware_stack, services)
        await services.readers.start()
        yield
        services.readers.close()

    return run


class Gate:
    """An ASGI application around the page's."""

    def __init__(self, page: App, services: Services) -> None:
        self._page, self._services = page, services
        self._api = build_api(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        number = request_id(headers.get("x-request-id"))
        REQUEST_ID.set(number)
        is_api = scope["path"].startswith(PATHS)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-request-id", number.encode())]
                if is_api:
                    self._count(scope, message["status"])
            await send(message)

        try:
            self._services.access.check_origin(headers)
            if is_api or scope["method"] not in SAFE:
                self._services.access.check_host(headers)
            if not is_api:
                self._check_page(scope, headers)
        except ApiError as error:
            await error.response()(scope, receive, send_on)
            return
        if is_api:
            scope.setdefault("state", {})["caller"] = Caller(number, headers, _address(scope), _user(scope, headers))
        await (self._api if is_api else self._page)(scope, receive, send_on)

    def _check_page(self, scope: Scope, headers: dict[str, str]) -> None:
        if scope["method"] != "POST" or not scope["path"].startswith(("/gradio_api/", "/login")):
            return
        length = headers.get("content-length", "0")
        limit = PAGE_BODY_MB
        if scope["path"] == "/gradio_api/upload":  # the pictures of a batch come together
            limit = max(limit, self._services.bounds.batch_mb)
        check_size(int(length) if length.isdigit() else 0, limit)
        self._services.rates.admit("page", _address(scope))

    def _count(self, scope: Scope, status: int) -> None:
        route = scope["path"] if scope["path"] in self._api.state.paths else "other"  # anyone can make paths up
        self._services.metrics.request(route, status)
        level = logging.DEBUG if status < 400 else logging.INFO if status < 500 else logging.ERROR
        logging.getLogger(__name__).log(level, "%s %s: %s", scope["method"], route, status)


def _address(scope: Scope) -> str:
    """Of the client; behind a trusted proxy the one that it names, as uvicorn has already found out."""
    return scope["client"][0] if scope.get("client") else ""


def _user(scope: Scope, headers: dict[str, str]) -> str | None:
    """Who is logged in on the page, by Gradio's cookie."""
    if "cookie" not in headers:
        return None
    app = scope["app"]
    cookies = cookie_parser(headers["cookie"])
    for name in (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}"):
        if user := app.tokens.get(cookies.get(name)):
            return user
    return None
