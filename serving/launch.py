"""Putting the page on the network: its port, who can reach it, and the temporary public link."""

import errno
import ipaddress
import logging
import os
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio import networking

from serving.gate import lifespan

if TYPE_CHECKING:
    from serving.services import Services
    from settings import Settings

PORTS_TRIED = 100
KEEP_ALIVE = 75  # s; after uvicorn's 5 s a program that thinks so long would now and then ask just when it is cut off
MAX_UPLOAD = "10mb"
LINK_FAILED = "No public link: the tunnel could not be opened (is the internet reachable?). The page goes on locally."


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
