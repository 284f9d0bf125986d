"""One server for page and API: its port, who can reach it, and the temporary public link."""

import errno
import logging
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio import http_server, networking

from serving.api.app import build_api
from serving.core.access import is_loopback
from serving.middleware import RequestMiddleware
from serving.services import Services
from settings import Settings

PORTS_TRIED = 100
BACKLOG = 2048  # connections that wait to be accepted, as uvicorn has them
KEEP_ALIVE = 75  # s; after uvicorn's 5 s a program that thinks so long would now and then ask just when it is cut off
MAX_UPLOAD = "10mb"
LINK_FAILED = "No public link: the tunnel could not be opened (is the internet reachable?). The page goes on locally."


class LaunchError(RuntimeError):
    """The page can't be put on the network; the message says why and what to do."""


class Server(http_server.Server):
    """uvicorn in a thread, which `Blocks.close` ends. Gradio's own gives a start 5 s, too little on a busy machine."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    def run_in_thread(self) -> None:
        """Return once requests are answered. Raises LaunchError."""
        self.thread = threading.Thread(target=self.run, args=([self._listener],), name="server", daemon=True)
        self.thread.start()
        while not self.started:
            self.thread.join(0.001)
            if not self.thread.is_alive():
                raise LaunchError("The page could not start; the log says why.")


def build_app(services: Services) -> FastAPI:
    """The application of the API, with the checks of every request; the page can be mounted on it."""
    app = build_api(services)
    app.add_middleware(RequestMiddleware, services=services)
    return app


def launch(page: gr.Blocks, services: Services, appearance: dict[str, Any]) -> str:
    """Serve page and API until `page.close()`. Return their address. Raises LaunchError."""
    settings = services.settings
    auth = login(settings)  # before there is a socket that an error would leave open
    listener = listen(settings.host, settings.port)
    host, port = settings.host, listener.getsockname()[1]
    if port != settings.port:
        print(f"Port {settings.port} is taken; using {port}.", flush=True)
    app = gr.mount_gradio_app(
        build_app(services),
        page.queue(default_concurrency_limit=4),
        path="",
        server_name=host,
        server_port=port,
        auth=auth,
        max_file_size=MAX_UPLOAD,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        **appearance,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    config = uvicorn.Config(
        app,
        host,
        port,
        log_config=None,  # its faults go to our log; its own set-up would also close every handler there is
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE,
        forwarded_allow_ips=settings.trusted_proxies,
    )
    # Mounting leaves out some of what Blocks.launch sets: close() needs the first two to end open streams and the
    # server, has_launched has the paths of files checked, and the last keeps visitors from starting a second queue.
    page.app, page.server = app.routes[-1].app, Server(config, listener)
    page.has_launched = page.app.startup_events_triggered = True
    page.server.run_in_thread()
    return f"http://{_url_host(host)}:{port}/"


def listen(host: str, first: int) -> socket.socket:
    """Listen on the first free port of `host` from `first` on, so that no other start takes it meanwhile. Raises
    LaunchError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                reason = f"{host}:{port}: {error.strerror}"
                raise LaunchError(f"Can't listen on {reason}. Set another host or port.") from None
    raise LaunchError(f"No port is free from {first} on. Choose another with --port or DEMO_PORT.")


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


def _is_fault(record: logging.LogRecord) -> bool:
    """Tell faults from visitors who leave while the browser still sends a drawing."""
    return not record.exc_info or type(record.exc_info[1]).__name__ != "ClientDisconnect"


def _url_host(host: str) -> str:
    if host == "0.0.0.0":  # noqa: S104 not an address that a browser can open
        return "localhost"
    return f"[{host}]" if ":" in host else host
