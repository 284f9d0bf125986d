"""What stands for the page elsewhere: the card under a link to it, its icon, and what it is as an installed app."""

import html
import re
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.core.environment import root_path

TITLE = "Digit and photo reader"
INTRODUCTION = "Draw a digit or a number, or show a photo: a small network reads it, and says when it is not sure."
PICTURE_TEXT = "A handwritten 2 on a sheet, and the answer beside it: 2, sure."
COLOUR, PAPER = "#4f46e5", "#f1f5f9"  # the theme's indigo and grey
FILES = {
    "/card.png": "card.png",
    "/favicon.ico": "icon-192.png",
    "/icon-192.png": "icon-192.png",
    "/icon-512.png": "icon-512.png",
}
MANIFEST: dict[str, Any] = {  # addresses are relative to its own, so that it holds under any path
    "name": TITLE,
    "short_name": "Digits",
    "description": INTRODUCTION,
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "theme_color": COLOUR,
    "background_color": PAPER,
    "icons": [
        {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for side in (192, 512)
        for purpose in ("any", "maskable")
    ],
}
CACHED = {"Cache-Control": "public, max-age=86400"}
# Gradio's own tags name its site and a picture on another host, and its manifest is looked for at the host's root.
FOREIGN_TAGS = re.compile(rb'\s*<(?:meta\s+(?:property="og:|name="twitter:)|link rel="manifest")[^>]*>')
HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?", re.ASCII)


def add_card(app: Starlette) -> None:
    """Serve the card's picture, the icons and the manifest."""
    for path in FILES:
        app.add_route(path, _send_file, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_route("/manifest.json", _send_manifest, methods=["GET", "HEAD"], include_in_schema=False)


class CardMiddleware:
    """Puts the page's own card into its HTML, which crawlers read without running scripts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def send_with_card(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = MutableHeaders(raw=list(start["headers"]))
            content = bytes(body)
            if headers.get("content-type", "").startswith("text/html"):
                content = with_card(content, page_address(scope))
                headers["content-length"] = str(len(content))
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, send_with_card)


def with_card(page: bytes, address: str) -> bytes:
    """Return the page's HTML with its own card in place of Gradio's."""
    head, end, rest = page.partition(b"</head>")
    return FOREIGN_TAGS.sub(b"", head) + card(address).encode() + end + rest


def card(address: str) -> str:
    """Return the tags in the page's head. address: the page's, with a slash at its end; empty where it is not known,
    and then without a picture, whose address can't be relative."""
    properties = {"og:type": "website", "og:site_name": TITLE, "og:title": TITLE, "og:description": INTRODUCTION}
    names = {"description": INTRODUCTION, "theme-color": COLOUR, "twitter:card": "summary"}
    if address:
        properties |= {
            "og:url": address,
            "og:image": f"{address}card.png",
            "og:image:type": "image/png",
            "og:image:width": "1200",
            "og:image:height": "630",
            "og:image:alt": PICTURE_TEXT,
        }
        names["twitter:card"] = "summary_large_image"
    tags = [
        f'<meta {kind}="{key}" content="{html.escape(value)}" />' for kind, key, value in _attributes(properties, names)
    ]
    links = {"icon": "icon-192.png", "apple-touch-icon": "icon-192.png", "manifest": "manifest.json"}
    tags += [f'<link rel="{relation}" href="{path}" />' for relation, path in links.items()]
    return "".join(f"\t{tag}\n" for tag in tags)


def page_address(scope: Scope) -> str:
    """Return the address of the page as the client has asked for it; empty where it names no host. Where TLS ends at a
    tunnel or a proxy that is not trusted, its word for that is taken: it changes no more than what the caller gets."""
    headers = Headers(scope=scope)
    host = headers.get("host", "")
    if not HOST.fullmatch(host):
        return ""
    proxy_scheme = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    scheme = "https" if "https" in (scope["scheme"], proxy_scheme) else "http"
    return str(URL(f"{scheme}://{host}{root_path()}/"))


def _attributes(properties: dict[str, str], names: dict[str, str]) -> list[tuple[str, str, str]]:
    return [("property", *item) for item in properties.items()] + [("name", *item) for item in names.items()]


async def _send_file(request: Request) -> Response:
    path = Path(__file__).parent / "pictures" / FILES[request.scope["path"]]
    return FileResponse(path, media_type="image/png", headers=CACHED)


async def _send_manifest(_request: Request) -> Response:
    return JSONResponse(MANIFEST, media_type="application/manifest+json", headers=CACHED)
