"""Compresses the page itself."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class CompressionMiddleware:
    """Compresses the page's HTML, 370 kB with all that the page is made of. Gradio compresses the rest, by the ending
    of its path, and the page has none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._compressing = app, GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_page = scope["type"] == "http" and scope["path"] == "/"
        await (self._compressing if is_page else self._app)(scope, receive, send)
