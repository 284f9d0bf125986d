"""Headers that tell browsers what no answer of this server may do, and cookies that no foreign page can use."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.core.access import split_names
from settings import Settings

FILE = "/gradio_api/file="
"""Beginning of the paths of files that visitors have uploaded, or that were made for them."""
PAGE_POLICY = (  # scripts and styles within the page are Gradio's own, which also evaluates those of events
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; connect-src 'self' data: blob:; "
    "worker-src 'self' blob:; manifest-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors {}"
)
DOCUMENTATION_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SIGN_IN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
"""Of what is no page, whatever a browser takes it for: data, and files of visitors."""
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), accelerometer=(), autoplay=(), display-capture=(), encrypted-media=(), "
    "geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=(), xr-spatial-tracking=()",
}
SIGN_IN, CARD = "/operator", "/card.png"
DATA, DOCUMENTATION = ("/api/", "/openapi.json", "/metrics", FILE), ("/docs", "/static-offline-docs")

Headers = list[tuple[bytes, bytes]]


def encode(headers: dict[str, str]) -> Headers:
    """Return headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


OF_DATA = encode(ALWAYS | {"Content-Security-Policy": DATA_POLICY})
OF_CARD = encode(  # which pages that link here show
    ALWAYS | {"Content-Security-Policy": DATA_POLICY, "Cross-Origin-Resource-Policy": "cross-origin"}
)
OF_SIGN_IN = encode(ALWAYS | {"Content-Security-Policy": SIGN_IN_POLICY, "X-Frame-Options": "DENY"})
OF_DOCUMENTATION = encode(ALWAYS | {"Content-Security-Policy": DOCUMENTATION_POLICY})
OVER_TLS = encode({"Strict-Transport-Security": "max-age=31536000"})


class HeadersMiddleware:
    """The outermost: no answer leaves without its headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        ancestors = sorted({*split_names(settings.frame_ancestors)} - {"self"})
        page = {"Content-Security-Policy": PAGE_POLICY.format(" ".join(["'self'", *ancestors]))}
        if not ancestors:
            page["X-Frame-Options"] = "SAMEORIGIN"  # knows no lists
        self._page = encode(ALWAYS | page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = self._complete(scope, message.get("headers", ()))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _complete(self, scope: Scope, headers: Headers) -> Headers:
        path, is_secure = scope["path"], scope["scheme"] == "https"
        fixed = self._page
        if path.startswith(DATA):
            fixed = OF_DATA
        elif path.startswith(DOCUMENTATION):
            fixed = OF_DOCUMENTATION
        elif path == SIGN_IN:
            fixed = OF_SIGN_IN
        elif path == CARD:
            fixed = OF_CARD
        complete = [*fixed, *OVER_TLS] if is_secure else list(fixed)
        for name, value in headers:
            if name == b"set-cookie":
                value = guard_cookie(value, is_secure or _says_tls(scope))  # noqa: PLW2901
            complete.append((name, value))
        return complete


def guard_cookie(cookie: bytes, is_secure: bool) -> bytes:
    """Return a Set-Cookie that no script reads and that no foreign page, nor this one within a foreign one, sends.
    Gradio's own is for foreign pages too; a browser drops it where there is no TLS."""
    pair, *attributes = (part.strip() for part in cookie.split(b";"))
    guards = (b"httponly", b"samesite", b"secure", b"partitioned")
    kept = [part for part in attributes if part.partition(b"=")[0].strip().lower() not in guards]
    return b"; ".join([pair, *kept, b"HttpOnly", b"SameSite=Lax", *([b"Secure"] if is_secure else [])])


def _says_tls(scope: Scope) -> bool:
    """Whether a browser says that it uses TLS, which ends at a proxy or tunnel that is not trusted."""
    return any(name == b"origin" and value.lower().startswith(b"https:") for name, value in scope["headers"])
