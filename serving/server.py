"""One server for page and API: its port, who can reach it, and the temporary public link."""

import errno
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from gradio import networking
from gradio.route_utils import FnIndexInferError
from starlette.requests import Request
from starlette.responses import Response

from serving.api.app import answer_error, build_api
from serving.connections.server import BACKLOG, Server
from serving.core.access import is_loopback
from serving.core.environment import root_path
from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.middleware.bodies import BodyMiddleware
from serving.middleware.compression import CompressionMiddleware
from serving.middleware.doors import DoorsMiddleware
from serving.middleware.headers import HeadersMiddleware
from serving.middleware.requests import RequestMiddleware
from serving.middleware.root_path import RootPathMiddleware
from serving.middleware.uploads import UploadMiddleware
from serving.page.card import CardMiddleware, add_card
from serving.page.sessions import Sessions
from serving.page.sign_in import sign_in
from serving.services import Services
from serving.uploads.cache import MAX_FILE_MB, UploadCache, upload_folder
from settings import Settings

PORTS_TRIED = 100
LINK_FAILED = "No public link: the tunnel could not be opened (is the internet reachable?). The page goes on locally."


class LaunchError(RuntimeError):
    """The page can't be put on the network; the message says why and what to do."""


def build_app(services: Services) -> FastAPI:
    """The application of the API, with the checks of every request; the page can be mounted on it."""
    app = build_api(services)
    app.add_route("/operator", sign_in, methods=["GET", "POST"], include_in_schema=False)
    add_card(app)
    app.add_middleware(CardMiddleware)
    app.add_middleware(CompressionMiddleware)
    app.add_middleware(BodyMiddleware, services=services)
    app.add_middleware(UploadMiddleware, services=services)
    app.add_middleware(DoorsMiddleware, services=services)
    app.add_middleware(RequestMiddleware, services=services)
    app.add_middleware(HeadersMiddleware, settings=services.settings)  # of every answer
    app.add_middleware(RootPathMiddleware, root_path=root_path())  # the outermost
    return app


def launch(page: gr.Blocks, services: Services, appearance: dict[str, Any]) -> str:
    """Serve page and API until `page.close()`. Return their address. Raises LaunchError."""
    settings = services.settings
    auth = login(settings)  # before there is a socket that an error would leave open
    prepare(services.upload_cache)
    listener = listen(settings.host, settings.port)
    host, port = settings.host, listener.getsockname()[1]
    if port != settings.port:
        print(f"Port {settings.port} is taken; using {port}.", flush=True)
    app = build_app(services)
    app = gr.mount_gradio_app(
        app,
        page,
        path="",
        server_name=host,
        server_port=port,
        auth=auth,
        max_file_size=MAX_FILE_MB * MIB,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        root_path=root_path(),
        app_kwargs=_tools(app, services) if settings.mcp else None,
        **appearance,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    # Mounting leaves out some of what Blocks.launch sets: close() needs the first two to end open streams and the
    # server, and has_launched has the paths of files checked.
    page.app, page.server = app.routes[-1].app, (server := Server(app, listener, settings))
    page.app.state_holder, page.app.state.services = Sessions(page), services
    page.app.add_exception_handler(Refused, answer_error)
    for kind in (FnIndexInferError, KeyError, TypeError):  # what Gradio's paths raise for what they do not know
        page.app.add_exception_handler(kind, _answer_unknown)
    page.app.add_exception_handler(RequestValidationError, answer_error)  # FastAPI's own sends back all it was sent
    page.has_launched = True
    if not server.run_in_thread():
        raise LaunchError("The page could not start; the log says why.")
    return f"http://{_url_host(host)}:{port}/"


def prepare(cache: UploadCache) -> None:
    """Make the folder of the cache. Raises LaunchError where it can't be."""
    try:
        cache.prepare()
        cache.sweep()
    except OSError as error:
        advice = "Set GRADIO_TEMP_DIR to a folder of your own."
        raise LaunchError(f"Can't keep uploads in {upload_folder()}: {error.strerror}. {advice}") from None


def stop(page: gr.Blocks) -> None:
    """Close the page once what was sent to it is answered, or that takes too long."""
    server = getattr(page, "server", None)  # which a page has once it was launched
    if isinstance(server, Server):
        server.drain()
    page.close(verbose=False)


def listen(host: str, first: int) -> socket.socket:
    """Listen on the first free port of `host` from `first` on, so that no other start takes it meanwhile. Raises
    LaunchError."""
    family = _family(host)
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            return socket.create_server(
                (host, port),
                family=family,
                backlog=BACKLOG,
                dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = (error.strerror or "").partition(" (while")[0]  # Python adds the address once more
                raise _unusable(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", reason) from None
    raise LaunchError(f"No port is free from {first} on. Choose another with --port or DEMO_PORT.")


def _family(host: str) -> socket.AddressFamily:
    """IPv6 for what has an address of no other kind. Raises LaunchError for what can't be a name."""
    families = set[socket.AddressFamily]()
    try:
        families = {family for family, *_ in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:  # which listening tells in words
        pass
    except UnicodeError:
        raise _unusable(host, "it is no address or name") from None
    return socket.AF_INET6 if families == {socket.AF_INET6} else socket.AF_INET


def _unusable(address: str, reason: str) -> LaunchError:
    advice = "Set another address by --host or DEMO_HOST, or another port by --port or DEMO_PORT."
    return LaunchError(f"Can't listen on {address}: {reason}. {advice}")


def login(settings: Settings) -> tuple[str, str] | None:
    """Return name and password of page and API, None without a login. Raises LaunchError if one is missing."""
    name, password = settings.username, settings.password.get_secret_value()
    if bool(name) != bool(password):
        raise LaunchError("A login needs both DEMO_USERNAME and DEMO_PASSWORD. Set both, or neither for no login.")
    return (name, password) if name else None


def exposure(settings: Settings) -> str:
    """Return a line on who can use the page, empty if only this machine can."""
    users = []
    if not is_loopback(settings.host):
        users.append(f"anyone who can reach this machine (it listens on {settings.host})")
    if settings.share:
        users.append("anyone who has the public link")
    if not users:
        return ""
    guard = "after the login" if login(settings) else "without a login (DEMO_USERNAME and DEMO_PASSWORD set one)"
    return f"Exposed: page and API can be used by {' and '.join(users)}, {guard}."


class PublicLink:
    """The temporary public link through Gradio's tunnel, opened while the page already answers locally.

    Gradio's own option `share` would serve its scripts from a host outside."""

    def __init__(self, setup: Callable[..., str] = networking.setup_tunnel) -> None:
        self._setup = setup
        self.notice = ""
        """The page's line on the link; empty before there is one."""

    def open(self, page: gr.Blocks) -> None:
        """Return once the link stands or has failed, and print which."""
        try:
            url = self._setup(page.server_name, page.server_port, secrets.token_urlsafe(32), None, None)
            self.notice = f"Public link, for up to a week: {url}"
        except Exception:  # the tunnel's download, certificate and program raise various ones
            self.notice = LINK_FAILED
        print(self.notice, flush=True)


def _tools(app: FastAPI, services: Services) -> dict[str, Any]:
    """Add the tools of language models to the application. Return what starts and ends them with the page."""
    from serving import mcp  # half a second, of those starts alone that need it

    server = mcp.build_server(services)
    app.router.routes += mcp.routes(server)
    return {"lifespan": server.lifespan}


async def _answer_unknown(_request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).info("A request to the page is wrong: %s.", type(error).__name__)
    message = "There is no such event, or it does not take this."
    return Refused(422, "wrong_shape", message, "/?view=api describes them.").response()


def _is_fault(record: logging.LogRecord) -> bool:
    """Tell faults from visitors who leave while the browser still sends a drawing, ask for answers of none, or send
    what is no HTTP, with which they could flood the log."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.msg != "Invalid HTTP request received."
    if "the handler is closed" in str(error):  # uvloop's words, when more of an answer is written
        return False
    return type(error.__cause__ or error).__name__ not in ("ClientDisconnect", "HTTPException")


def _url_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 not an address that a browser can open
        return "localhost"
    return f"[{host.replace('%', '%25')}]" if ":" in host else host
