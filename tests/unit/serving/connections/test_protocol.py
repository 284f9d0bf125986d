import asyncio
import http.client
import itertools
import socket
import time
from contextlib import closing, suppress

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from serving.connections.protocol import (
    HEAD_BYTES,
    HEAD_FIELDS,
    HEAD_SECONDS,
    MAX_PIPELINED,
    UNREAD_SECONDS,
    LimitedProtocol,
)
from serving.connections.registry import Connections
from serving.core.received import DRAINED

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = GET.replace(b"Host: x", b"Host: x\r\nConnection: close")


def converse(address, pieces, ends=False):
    """Send the pieces, and nothing after them if it `ends` so. Return all that comes back until the server closes."""
    with socket.create_connection(address, timeout=5) as client:
        with suppress(OSError):  # the server has closed it already
            for piece in pieces:
                client.sendall(piece)
            if ends:
                client.shutdown(socket.SHUT_WR)
        answers = b""
        with suppress(ConnectionResetError):
            while data := client.recv(65536):
                answers += data
        return answers


def is_cut_off(address, start, more):
    """Whether the server closes the connection while such data go on coming."""
    with socket.create_connection(address, timeout=5) as client:
        try:
            client.sendall(start)
            for _ in range(200):
                client.sendall(more)
                time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            return True
    return False


def cut(content, places):
    edges = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[start:end] for start, end in itertools.pairwise(edges)]


name = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=30).map(lambda text: f"x{text}")
value = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60).map(str.strip)
places = st.lists(st.integers(0, 10**6), max_size=6)


@given(headers=st.lists(st.tuples(name, value), max_size=HEAD_FIELDS - 2), body=st.binary(max_size=300), places=places)
def test_a_head_within_bounds_is_answered_however_it_is_cut(served, headers, body, places):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
    start = b"POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n" % len(body)
    request = start + lines + b"\r\n" + body
    answer = converse(served.address, cut(request, places))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"headers": %d, "bytes": %d' % (len(headers) + 2, len(body)) in answer


@given(excess=st.integers(1, 10**6), where=st.sampled_from(["url", "name", "value", "many"]), places=places)
def test_a_head_beyond_bounds_is_refused_however_it_is_cut(served, excess, where, places):
    filling = b"a" * (HEAD_BYTES + excess)
    head = {
        "url": b"GET /%s HTTP/1.1\r\n\r\n" % filling,
        "name": b"GET / HTTP/1.1\r\n%s: 1\r\n\r\n" % filling,
        "value": b"GET / HTTP/1.1\r\nx: %s\r\n\r\n" % filling,
        "many": b"GET / HTTP/1.1\r\n%s\r\n" % (b"a:b\r\n" * (HEAD_FIELDS + 1)),
    }[where]
    answer = converse(served.address, cut(head, places))
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    assert not answer or answer.startswith(b"HTTP/1.1 431")  # a client that still sends may miss it


@given(rubbish=st.binary(max_size=2000), places=places)
def test_whatever_is_sent_the_next_client_is_answered(served, rubbish, places):
    converse(served.address, cut(rubbish, places), ends=True)
    assert converse(served.address, [LAST]).startswith(b"HTTP/1.1 200")


def test_the_refusal_of_a_head_can_be_read(served):
    with socket.create_connection(served.address, timeout=5) as client:
        client.sendall(b"GET /%s HTTP/1.1\r\n\r\n" % (b"a" * HEAD_BYTES))
        reply = http.client.HTTPResponse(client)
        reply.begin()
        assert (reply.status, reply.getheader("connection")) == (431, "close")
        assert reply.getheader("x-content-type-options") == "nosniff"
        assert b"head_too_large" in reply.read()


@pytest.mark.parametrize("more", [b"a" * 50_000, b"a: b\r\n" * 9000])
@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nx: ",
        GET + b"GET / HTTP/1.1\r\nx: ",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: ",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1; x=",
    ],
)
def test_what_never_ends_is_cut_off(served, start, more):
    assert is_cut_off(served.address, start, more)


def test_a_body_that_no_answer_needs_is_not_read_for_ever(served):
    piece = b"a" * (DRAINED // 64)
    assert is_cut_off(served.address, b"POST /unread HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % 10**12, piece)


def test_a_body_is_no_head(served):
    for body in (b"a" * 10 * HEAD_BYTES, b"\r\n".join([b"x: y"] * 10 * HEAD_FIELDS)):
        request = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        assert b'"bytes": %d' % len(body) in converse(served.address, [request])


def test_requests_sent_at_once_are_answered_up_to_a_number(served):
    assert converse(served.address, [GET * (MAX_PIPELINED - 1) + LAST]).count(b"HTTP/1.1 200") == MAX_PIPELINED
    assert converse(served.address, [GET * 20 * MAX_PIPELINED]).count(b"HTTP/1.1 200") <= MAX_PIPELINED
    assert converse(served.address, [LAST]).startswith(b"HTTP/1.1 200")


def test_a_request_for_another_protocol_is_answered_in_this_one(served, caplog):
    with closing(http.client.HTTPConnection(*served.address, timeout=5)) as client:
        client.request("GET", "/a", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
        with client.getresponse() as reply:
            assert reply.status == 200
    assert caplog.text == ""


class Transport(asyncio.Transport):
    """Remembers how it was ended."""

    def __init__(self):
        super().__init__()
        self.ended, self.unread, self.written = "", 0, b""

    def get_extra_info(self, name, default=None):
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def is_closing(self):
        return bool(self.ended)

    def get_write_buffer_size(self):
        return self.unread

    def write(self, data):
        self.written += data

    def close(self):
        self.ended = self.ended or "closed"

    def abort(self):
        self.ended = "aborted"

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


@pytest.fixture
def connection():
    """A connection of which a test says what time it is."""
    loop = asyncio.new_event_loop()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(app, log_config=None, interface="asgi3", lifespan="off")
    connection = LimitedProtocol(config, Connections(10, 10), {}, _loop=loop)
    connection.connection_made(Transport())
    yield connection
    connection.connection_lost(OSError())
    run_once(loop)
    connection._unset_keepalive_if_required()
    loop.close()


def ended(connection, seconds):
    """How the connection has ended when so many seconds have passed, in which it was looked at every second."""
    start = connection.loop.time()
    for passed in range(int(seconds) + 1):
        connection.check_time(start + passed)
    return connection.transport.ended


def run_once(loop):
    loop.run_until_complete(asyncio.sleep(0.01))


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"GET / HTTP/1.1\r\nx: "])
def test_a_connection_without_a_whole_head_is_closed(connection, sent):
    connection.data_received(sent)
    assert ended(connection, HEAD_SECONDS - 1) == ""
    assert ended(connection, HEAD_SECONDS + 1) == "closed"


@pytest.mark.parametrize("more", [b"GET ", b"\r\n"])
def test_the_next_head_has_as_long_from_its_first_byte_on(connection, more):
    connection.data_received(GET)
    run_once(connection.loop)
    assert connection.transport.written.startswith(b"HTTP/1.1 204")
    assert ended(connection, 10 * HEAD_SECONDS) == ""
    connection.data_received(more)
    assert ended(connection, HEAD_SECONDS + 1) == "closed"


def test_a_request_may_take_its_time(connection):
    connection.data_received(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
    assert ended(connection, 10 * HEAD_SECONDS) == ""


def test_a_client_that_reads_nothing_is_cut_off(connection):
    connection.data_received(GET)
    connection.transport.unread = 100_000
    assert ended(connection, UNREAD_SECONDS - 1) == ""
    connection.transport.unread = 99_999
    assert ended(connection, UNREAD_SECONDS - 1) == ""
    assert ended(connection, UNREAD_SECONDS + 2) == "aborted"


def test_what_is_still_to_come_of_an_answer_is_dropped_once_its_client_is_cut_off(connection):
    connection.data_received(GET)
    connection.cut_off()
    run_once(connection.loop)
    assert connection.transport.written == b""
