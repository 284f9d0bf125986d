"""Connections that are opened to be held, and heads that never end: nobody else is shut out by them."""

import socket
import time
from contextlib import ExitStack, suppress

import pytest

from tests.helpers.raw_http import connect, head, read_reply, send_last

HELD = 4.0  # s, in which the other visitor asks a few times
MEGABYTE = 1_000_000
MOST = 16 * MEGABYTE  # of a head that may be sent before it is cut off; what the kernel takes is among them
CHUNKED = b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
FIELDS = b"".join(b"x-%d: %b\r\n" % (number, b"a" * 1000) for number in range(1000))
HEADS = {
    "headers of a kilobyte": (b"GET / HTTP/1.1\r\n", FIELDS),
    "one header": (b"GET / HTTP/1.1\r\nx: ", b"a" * MEGABYTE),
    "an address": (b"GET /", b"a" * MEGABYTE),
    "countless headers": (b"GET / HTTP/1.1\r\n", b"a:b\r\n" * 200_000),
    "a method": (b"G", b"E" * MEGABYTE),
    "empty lines": (b"", b"\r\n" * 500_000),
    "trailers": (CHUNKED + b"0\r\n", b"x: y\r\n" * 160_000),
    "an extension of a chunk": (CHUNKED + b"5;", b"a" * MEGABYTE),
}
BODY = {"Content-Type": "application/json", "Content-Length": "12000"}
PICTURE = BODY | {"Content-Type": "image/png"}
HOLDING = {  # how many, and what each sends
    "idle": (1100, lambda *_: b""),
    "in a head": (1100, lambda attack, _: head(attack, "GET", "/")[:-2] + b"X-A: "),
    "in a body": (520, lambda attack, _: head(attack, "POST", "/gradio_api/queue/join", BODY) + b"["),
    "in a picture": (520, lambda attack, _: head(attack, "POST", "/api/predict", PICTURE) + b"\x89PNG"),
    "open pages": (1000, lambda attack, number: head(attack, "GET", f"/gradio_api/heartbeat/s{number}")),
    "events": (1000, lambda attack, number: head(attack, "GET", f"/gradio_api/queue/data?session_hash=s{number}")),
    "not read": (200, lambda attack, _: head(attack, "GET", "/config") * 20),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_without_an_end(attack, name):
    """A head without an end is cut off before it is kept."""
    start, more = HEADS[name]
    sent = 0
    with connect(attack) as connection:
        with suppress(ConnectionError):  # which is how it is cut off
            connection.sendall(start)
            while sent < MOST:
                connection.sendall(more)
                sent += len(more)
        assert read_reply(connection).status in (0, 400, 431)
    assert sent < MOST


@pytest.mark.parametrize("name", HOLDING)
def test_connections_that_are_held(attack, name):
    """Hundreds of connections that one visitor holds shut nobody else out."""
    count, request = HOLDING[name]
    with ExitStack() as opened:
        for number in range(count):
            with suppress(OSError):  # hung up on already, which is allowed
                connection = opened.enter_context(connect(attack))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(request(attack, number))
        time.sleep(HELD)


def test_countless_requests_at_once(attack):
    """Ten thousand requests sent over one connection at once, before any answer, cost nobody else theirs."""
    with connect(attack) as connection:
        send_last(connection, head(attack, "GET", "/api/health") * 10_000)
        assert read_reply(connection).status in (0, 200, 400)


def test_other_protocols(attack):
    """What is no HTTP/1.1, such as HTTP/2, TLS or an upgrade to another protocol, is refused or hung up on."""
    upgrade = {"Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    for request in (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\0" * 1000,
        b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
        head(attack, "GET", "/gradio_api/queue/join", upgrade | {"Upgrade": "websocket"}),
        head(attack, "GET", "/nowhere", {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}),
    ):  # fmt: skip
        with connect(attack) as connection:
            send_last(connection, request)
            assert read_reply(connection).status in (0, 200, 400, 403, 404, 405, 426, 505), request
