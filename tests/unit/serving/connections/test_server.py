import http.client
import socket
import threading
import time
from contextlib import closing

import pytest


class App:
    """Answers at once; /slow when `go_on` is set; /blocked while it holds up the event loop; /stream never ends."""

    def __init__(self):
        self.asked, self.go_on = threading.Event(), threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.set()
        if path == "/blocked":
            self.go_on.wait(10)
        while path == "/slow" and not self.go_on.is_set():
            await receive()  # the body, at first; then nothing until the connection ends
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": path.encode(), "more_body": path.endswith("/stream")})
        while path.endswith("/stream") and (await receive())["type"] != "http.disconnect":
            pass


@pytest.fixture
def app():
    return App()


@pytest.fixture
def served(serve, app):
    return serve(app)


def ask(served, path):
    connection = http.client.HTTPConnection(*served.address, timeout=20)
    connection.request("POST", path)
    return connection


def answer(connection):
    with closing(connection), connection.getresponse() as reply:
        return reply.status, reply.getheader("connection")


def stopping(served):
    """Begin to stop it, as a signal has it done."""
    stop = threading.Thread(target=served.server.drain)
    stop.start()
    return stop


def test_connections_that_wait_to_be_accepted_are_answered(served, app):
    blocked = ask(served, "/blocked")
    assert app.asked.wait(5)
    waiting = [ask(served, "/quick") for _ in range(20)]
    stop = stopping(served)
    time.sleep(0.2)  # longer than the server takes to notice, were its loop not held up
    app.go_on.set()
    assert {answer(each)[0] for each in (blocked, *waiting)} == {200}
    stop.join()
    with pytest.raises(ConnectionRefusedError):
        ask(served, "/late")


def test_an_open_connection_can_ask_while_others_are_answered(served, app):
    idle = ask(served, "/quick")
    with idle.getresponse() as reply:
        assert (reply.read(), reply.getheader("connection")) == (b"/quick", None)
    app.asked.clear()
    with socket.create_connection(served.address, timeout=20) as slow:
        slow.sendall(b"POST /slow HTTP/1.1\r\nContent-Length: 2\r\n\r\n1")
        assert app.asked.wait(5)
        stop = stopping(served)
        while True:
            try:
                socket.create_connection(served.address).close()
            except OSError:
                break
            time.sleep(0.01)
        idle.request("POST", "/again")
        assert answer(idle) == (200, "close")
        app.go_on.set()
        slow.sendall(b"2")
        assert slow.recv(1000).startswith(b"HTTP/1.1 200")
    stop.join()


def test_streams_and_clients_that_do_nothing_are_cut_off(served, app):
    with (
        closing(ask(served, "/gradio_api/heartbeat/stream")) as page,
        socket.create_connection(served.address) as head,
        socket.create_connection(served.address, timeout=20) as idle,
    ):
        head.sendall(b"POST / HTTP/1.1\r\nHost: ")
        assert app.asked.wait(5)
        served.server.drain()
        served.server.close()
        assert idle.recv(1) == b""
        with pytest.raises(http.client.IncompleteRead), page.getresponse() as reply:
            reply.read()
