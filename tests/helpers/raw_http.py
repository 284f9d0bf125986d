"""HTTP as bytes on a socket, for what no well-behaved client sends."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.helpers.attacked_page import Attack

PATIENCE = 60.0  # s
MOST = 1_000_000  # bytes of an answer that are read


@dataclass(frozen=True)
class Reply:
    """What came back: `status` 0 where the server hung up without a word. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> Any:
        """The code of an error in the one shape."""
        return json.loads(self.body)["error"]["code"]


def connect(attack: Attack) -> socket.socket:
    """Open a connection from the attacker's address."""
    parts = urlsplit(attack.url)
    return socket.create_connection((parts.hostname, parts.port), PATIENCE, source_address=(attack.address, 0))


def head(attack: Attack, method: str, path: str, headers: dict[str, str] | None = None) -> bytes:
    """Return the head of a request; `headers` win over a Host of the page's own."""
    fields = {"Host": urlsplit(attack.url).netloc} | (headers or {})
    lines = [f"{method} {path} HTTP/1.1", *map(": ".join, fields.items()), "", ""]
    return "\r\n".join(lines).encode()


def exchange(attack: Attack, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
    """Send one request over a connection of its own, and read the answer."""
    sent = {"Connection": "close", "Content-Length": str(len(body))} | (headers or {})
    with connect(attack) as connection:
        with suppress(ConnectionError):  # refused before all was sent
            connection.sendall(head(attack, method, path, sent) + body)
        return read_reply(connection)


def send_last(connection: socket.socket, request: bytes) -> None:
    """Send all that there will be; the server may have hung up before."""
    with suppress(OSError):
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)


def read_reply(connection: socket.socket) -> Reply:
    """Read until the server hangs up."""
    received = b""
    with suppress(ConnectionError):
        while len(received) < MOST and (chunk := connection.recv(65536)):
            received += chunk
    top, _, body = received.partition(b"\r\n\r\n")
    if not top:
        return Reply(0, {}, b"")
    first, *lines = top.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Reply(int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
