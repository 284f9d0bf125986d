"""One server for page and API: its port, who can reach it, the temporary public link, and what stands before both."""

import errno
import ipaddress
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio import http_server, networking

from serving.api.app import build_api
from serving.middleware import RequestMiddleware
from serving.services import Services

if TYPE_CHECKING:
    from settings import Settings

PORTS_TRIED = 100
KEEP_ALIVE = 75  # s; after uvicorn's 5 s a program that thinks so long would now and then ask just when it is cut off
MAX_UPLOAD = "10mb"
LINK_FAILED = "No public link: the tunnel could not be opened (is the internet reachable?). The page goes on locally."


class LaunchError(RuntimeError):
    """The page can't be put on the network; the text says why and what to do."""


class Server(http_server.Server):
    """uvicorn in a thread, as `Blocks.close` ends it. Gradio's own gives up after 5 s, which a busy machine exceeds."""

    def run_in_thread(self) -> None:
        """Returns once requests are answered. Raises LaunchError."""
        self.thread = threading.Thread(target=self.run, name="server", daemon=True)
        self.thread.start()
        while not self.started:
            self.thread.join(0.001)
            if not self.thread.is_alive():
                raise LaunchError("The page could not start; the log says why.")


def build_app(services: Services) -> FastAPI:
    """The API behind what every request passes. The page can be mounted on it."""
    app = build_api(services)
    app.add_middleware(RequestMiddleware, services=services)
    return app


def launch(page: gr.Blocks, services: Services, look: dict[str, Any]) -> str:
    """Serves `page` and API until `page.close()` and returns their address. Raises LaunchError."""
    settings = services.settings
    host, port = settings.host, free_port(settings.host, settings.port)
    if port != settings.port:
        print(f"Port {settings.port} is taken; using {port}.", flush=True)
    app = gr.mount_gradio_app(
        build_app(services),
        page.queue(default_concurrency_limit=4),
        path="",
        server_name=host,
        server_port=port,
        auth=login(settings),
        max_file_size=MAX_UPLOAD,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        **look,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    config = uvicorn.Config(
        app,
        host,
        port,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    # As Blocks.launch leaves them: Blocks.close ends both, and files are checked only of a page that has_launched.
    page.app, page.server, page.has_launched = app.routes[-1].app, Server(config), True
    page.app.startup_events_triggered = True  # by the lifespan; else a visitor's request would start a second queue
    page.server.run_in_thread()
    return f"http://{_host_in_url(host)}:{port}/"


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
    name, password = settings.username, settings.password.get_secret_value()
    if bool(name) != bool(password):
        raise LaunchError("A login needs both DEMO_USERNAME and DEMO_PASSWORD. Set both, or neither for no login.")
    return (name, password) if name else None


def exposure(settings: "Settings") -> str:
    """A line on who can use the page, empty if only this machine can."""
    reached = []
    if not _is_loopback(settings.host):
        reached.append(f"whoever can reach this machine (it listens on {settings.host})")
    if settings.share:
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


def _host_in_url(host: str) -> str:
    if host == "0.0.0.0":  # noqa: S104 no address to go to
        return "localhost"
    return f"[{host}]" if ":" in host else host
