"""The paths of the page that are open. Gradio brings many more, and each release others, which nobody here needs."""

import os
import re
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.api.app import PATHS
from serving.core.clients import client_of
from serving.core.errors import Refused, from_status
from serving.core.limits import ClientLocks
from serving.middleware.headers import FILE
from serving.services import Services
from serving.uploads.cache import upload_folder


@dataclass(frozen=True)
class Door:
    """A path that is open. query: in place of what was sent; None: what was sent."""

    methods: tuple[str, ...] = ("GET",)
    needs_login: bool = True  # where there is one
    query: bytes | None = None
    costly: bool = False  # takes over 10 ms: of one client's requests one at a time is answered


PAGE = Door(("GET", "HEAD"), needs_login=False, query=b"", costly=True)  # Gradio reads `page` and `deep_link`: none are
PUBLIC, READ, WRITE = Door(needs_login=False), Door(), Door(("POST",))
MCP_PATHS = ("/gradio_api/mcp", "/gradio_api/mcp/")
DOORS: Mapping[str, Door] = {
    "/": PAGE,
    "/login": Door(("POST",), needs_login=False),
    "/logout": PUBLIC,
    "/operator": Door(("GET", "POST"), needs_login=False),
    "/theme.css": PUBLIC,
    "/manifest.json": PUBLIC,
    "/favicon.ico": PUBLIC,
    "/card.png": PUBLIC,
    "/icon-192.png": PUBLIC,
    "/icon-512.png": PUBLIC,
    "/robots.txt": PUBLIC,
    "/gradio_api/user": PUBLIC,  # who is logged in, if anyone: asked by RequestMiddleware
    "/gradio_api/app_id": PUBLIC,  # asked by a browser whose connection broke off
    "/config": Door(query=b"", costly=True),  # like the page
    "/gradio_api/info": Door(query=b"page="),  # without it Gradio gives all the address that the first one asked for
    "/gradio_api/upload": WRITE,
    "/gradio_api/upload_progress": READ,
    "/gradio_api/queue/join": WRITE,
    "/gradio_api/queue/data": READ,
    "/gradio_api/cancel": WRITE,
    "/gradio_api/reset": WRITE,
    **dict.fromkeys(MCP_PATHS, Door(("POST",), query=b"")),  # a GET would hold open a stream that stays empty
}
"""Paths as they are."""
PATTERNS: Mapping[re.Pattern[str], Door] = {
    re.compile(pattern, re.ASCII): door
    for pattern, door in (
        (r"/assets/[\w.-]+", PUBLIC),
        (r"/static/(\w+/)+[\w.-]+", PUBLIC),
        (r"/gradio_api/heartbeat/\w+", READ),
        (r"/gradio_api/call/(v2/)?\w+", WRITE),
        (r"/gradio_api/call/\w+/\w+", READ),
    )
}
"""Paths with a name in them."""
FILE_DOOR = Door(("GET", "HEAD"))
DROPPED = frozenset((b"x-forwarded-host", b"x-gradio-server", b"range", b"if-range"))
"""Headers that Gradio would believe from anyone: by the first two one chooses the addresses of what the page links to;
those of a range it sends back with all others of the request."""


class DoorsMiddleware:
    """Refuses what is no door of the page. It needs the `caller` in a request's state."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services, self._turns = app, services, Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. Raises Refused."""
        if scope["type"] != "http" or scope["path"].startswith(PATHS):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        door = find_door(path)
        if door is None:
            raise from_status(404)
        if scope["method"] not in door.methods:
            raise from_status(405)
        if door.needs_login:
            self._services.access.check_visitor(scope["state"]["caller"])
        if door is FILE_DOOR and not is_uploaded(path.removeprefix(FILE)):
            raise Refused(404, "not_found", "There is no such file.", "Files are deleted after a while: make it again.")
        headers = [header for header in scope["headers"] if header[0] not in DROPPED]
        query = scope["query_string"] if door.query is None else door.query
        opened = {**scope, "headers": headers, "query_string": query}
        if door.costly:
            await self._turns.take(client_of(scope), self._app, opened, receive, send)
        else:
            await self._app(opened, receive, send)


class Turns:
    """Of each client's requests one is answered at a time. For one event loop."""

    def __init__(self) -> None:
        self._locks = ClientLocks()

    async def take(self, client: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in its turn, which ends once there is an answer to be sent: no slow reader holds it up."""
        lock = self._locks.of(client)
        await lock.acquire()
        turn = ExitStack()
        turn.callback(lock.release)

        async def send_after_turn(message: Message) -> None:
            turn.close()
            await send(message)

        with turn:
            await app(scope, receive, send_after_turn)


def find_door(path: str) -> Door | None:
    """Return the door at a path, None if there is none."""
    if path in DOORS:
        return DOORS[path]
    if path.startswith(FILE):
        return FILE_DOOR
    return next((door for pattern, door in PATTERNS.items() if pattern.fullmatch(path)), None)


def needs_login(path: str) -> bool:
    """Whether a path of the page is for those who are logged in, where there is a login."""
    door = find_door(path)
    return door is not None and door.needs_login


def is_uploaded(path: str) -> bool:
    """Whether a path is that of a file in the page's cache. Nothing outside is looked at, not even if it exists."""
    folder = upload_folder().absolute()
    try:
        if not Path(os.path.normpath(Path(path).absolute())).is_relative_to(folder):  # by its text alone
            return False
        file = Path(path).resolve()
        return file.is_relative_to(folder.resolve()) and stat.S_ISREG(file.lstat().st_mode)
    except (OSError, ValueError):  # there is none, its path is too long, or it has a NUL in it
        return False
