"""The tools of language models: they open no file, fetch no address and connect to no host that a caller names."""

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attacks.test_files import SECRETS, UNUPLOADED, paths_of
from tests.helpers.attacked_page import AttackedPage

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=20), values, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def page():
    page = AttackedPage(DEMO_MCP="true")
    yield page
    printed = page.stop()
    assert printed.endswith("Stopped.\nexit status 0\n")
    assert "Traceback" not in printed


def post(http, value, **headers):
    """JSON as Python writes it, with NaN and Infinity."""
    return http.post("/gradio_api/mcp", content=json.dumps(value), headers=HEADERS | headers)


def ask(http, method, params, **headers):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return post(http, request, **headers)


def call(http, tool, arguments):
    return ask(http, "tools/call", {"name": tool, "arguments": arguments})


class Listener:
    """A port that counts who connects to it."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.connections = self._socket.getsockname()[1], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._socket.accept()[0].close()
            except OSError:
                return
            self.connections += 1

    def close(self):
        self._socket.close()


def test_no_address_or_path_is_a_picture(attack):
    """An address, a file: URL or a path in a picture's place is refused in words; nothing is fetched or opened."""
    listener = Listener()
    try:
        addresses = [f"http://127.0.0.1:{listener.port}/x.png", f"//127.0.0.1:{listener.port}/x.png"]
        with attack.client() as http:
            for tool in ("read_drawing", "read_photo"):
                for picture in (*addresses, *UNUPLOADED, *paths_of(attack.page)):
                    reply = call(http, tool, {"picture": picture})
                    assert (reply.status_code, '"isError":true' in reply.text) == (200, True), picture
                    assert not any(secret in reply.content for secret in SECRETS)
                file = {"path": "/etc/passwd", "url": addresses[0], "meta": {"_type": "gradio.FileData"}}
                assert '"isError":true' in call(http, tool, {"picture": file}).text
            assert "nothing is fetched" in call(http, "read_photo", {"picture": "file:///etc/passwd"}).text
        assert listener.connections == 0
    finally:
        listener.close()


def test_no_connection_goes_to_the_host_of_a_request(attack):
    """No request, whatever its method, makes the server connect to the host that it names."""
    listener = Listener()
    try:
        with attack.client() as http:
            for method, params in (
                ("resources/read", {"uri": "file:///etc/passwd"}),
                ("prompts/get", {"name": "read_drawing", "arguments": {}}),
                ("tools/call", {"name": "read_drawing", "arguments": {"picture": "AAAA"}}),
                ("tools/call", {"name": "predict", "arguments": {}}),
            ):
                ask(http, method, params, Host=f"127.0.0.1:{listener.port}")
        assert listener.connections == 0
    finally:
        listener.close()


def test_whatever_is_sent_is_answered(attack):
    """Any JSON as request, parameters or arguments gets an answer, and next to nothing of it is logged."""
    with attack.client() as http:

        @given(JSON)
        def send(value):
            for reply in (
                post(http, value),
                ask(http, "tools/call", value),
                call(http, "read_drawing", value),
                call(http, "read_drawing", {"picture": value}),
            ):
                assert reply.status_code < 500

        send()
        assert call(http, "x" * 1_000_000, {}).status_code == 200
