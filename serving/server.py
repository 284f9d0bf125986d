"""One server for page and API: its port, who can reach it, the temporary public link, and what stands before both."""

import errno
import ipaddress
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI
from gradio import networking
from starlette.requests import cookie_parser

from serving.api.app import PATHS, build_api
from serving.core.access import Caller
from serving.core.errors import Refused
from serving.core.limits import check_size
from serving.core.logs import REQUEST_ID, request_id
from serving.services import Services

if TYPE_CHECKING:
    from settings import Settings

PORTS_TRIED = 100
KEEP_ALIVE = 75  # s; after uvicorn's 5 s a program that thinks so long would now and then ask just when it is cut off
MAX_UPLOAD = "10mb"
LINK_FAILED = "No public link: the tunnel could not be opened (is the internet reachable?). The page goes on locally."
Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
SAFE = ("GET", "HEAD", "OPTIONS")
PAGE_BODY_MB = 12  # MiB: an upload of the largest picture that the page takes, or an event


class LaunchError(RuntimeError):
    """The page can't be put on the network; the text says why and what to do."""


def launch(page: gr.Blocks, services: "Services", look: dict[str, Any]) -> str:
    """Serves `page` and API from threads of their own and returns their address. Raises LaunchError."""
    settings = services.settings
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    os.environ["FORWARDED_ALLOW_IPS"] = settings.trusted_proxies  # uvicorn's own trusts this machine
    port = free_port(settings.demo_host, settings.demo_port)
    if port != settings.demo_port:
        print(f"Port {settings.demo_port} is taken; using {port}.", flush=True)
    try:
        _, url, _ = page.queue(default_concurrency_limit=4).launch(
            server_name=settings.demo_host,
            server_port=port,
            auth=login(settings),
            max_file_size=MAX_UPLOAD,
            prevent_thread_lock=True,
            share=False,
            quiet=True,
            _frontend=False,  # Gradio's own look at the page, which a busy machine takes longer than its 3 s to answer
            enable_monitoring=False,
            run_history=False,
            app_kwargs={"lifespan": lifespan(services)},
            **look,
        )
    except (OSError, ValueError) as error:
        raise LaunchError(f"The page could not start: {error}. If a proxy is set, add localhost to NO_PROXY.") from None
    page.server.config.timeout_keep_alive = KEEP_ALIVE  # each connection reads it when it is made
    return url


def free_port(host: str, wanted: int) -> int:
    """The first port from `wanted` on that `host` can listen on. Raises LaunchError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        try:
            socket.create_server((host, port), family=family).close()
            return port
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LaunchError(
                    f"Can't listen on {host}:{port}: {error.strerror}. Set another host or port."
                ) from None
    raise LaunchError(f"No port is free from {wanted} on. Choose another with --port or DEMO_PORT.")


def login(settings: "Settings") -> tuple[str, str] | None:
    """Name and password that page and API ask for, None for no login. Raises LaunchError when one is missing."""
    name, password = settings.demo_username, settings.demo_password.get_secret_value()
    if bool(name) != bool(password):
        raise LaunchError("A login needs both DEMO_USERNAME and DEMO_PASSWORD. Set both, or neither for no login.")
    return (name, password) if name else None


def exposure(settings: "Settings") -> str:
    """A line on who can use the page, empty if only this machine can."""
    reached = []
    if not _is_loopback(settings.demo_host):
        reached.append(f"whoever can reach this machine (it listens on {settings.demo_host})")
    if settings.demo_share:
        reached.append("whoever has the public link")
    if not reached:
        return ""
    guard = "after the login" if login(settings) else "without a login (DEMO_USERNAME and DEMO_PASSWORD set one)"
    return f"Exposed: page and API can be used by {' and '.join(reached)}, {guard}."


class PublicLink:
    """The temporary public link through Gradio's tunnel, opened while the page already answers locally.

    Not `launch(share=True)`, which makes Gradio serve its scripts from a host outside."""

    def __init__(self, setup: Callable[..., str] = networking.setup_tunnel) -> None:
        self._setup = setup
        self.notice = ""
        """What the page says of the link, empty if there is nothing to say."""

    def open(self, page: gr.Blocks) -> None:
        """Returns once the link stands or has failed, and prints which."""
        try:
            url = self._setup(page.server_name, page.server_port, secrets.token_urlsafe(32), None, None)
            self.notice = f"Public link, for up to a week: {url}"
        except Exception:  # whatever the tunnel's download, certificate or program raise
            self.notice = LINK_FAILED
        print(self.notice, flush=True)


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether to log it: a visitor who leaves while the browser still sends a drawing is no fault."""
    return not record.exc_info or type(record.exc_info[1]).__name__ != "ClientDisconnect"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def lifespan(services: Services) -> Callable[[FastAPI], Any]:
    """For the page's server: puts the gate before everything of Gradio's, and starts the worker_pool."""

    @asynccontextmanager
    async def run(app: FastAPI) -> Any:
        app.middleware_stack = Gate(app.middleware_stack, services)
        await services.worker_pool.start()
        yield
        services.worker_pool.close()

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
        except Refused as error:
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
            limit = max(limit, self._services.limits.total_mb)
        check_size(int(length) if length.isdigit() else 0, limit)
        self._services.rates.admit("page", _address(scope))

    def _count(self, scope: Scope, status: int) -> None:
        route = scope["path"] if scope["path"] in self._api.state.paths else "other"  # anyone can make paths up
        self._services.metrics.count_request(route, status)
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
