"""Bodies that cost more to parse than to send, or never end: bounded on every path before they are parsed."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.helpers import bombs
from tests.helpers.attacked_page import AttackedPage
from tests.helpers.bystander import SEVEN
from tests.helpers.raw_http import connect, exchange, head, read_reply

JSON, FORM, FIELDS = "application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"
PATHS = (
    "/api/predict", "/api/feedback", "/gradio_api/queue/join", "/gradio_api/call/predict", "/gradio_api/run/predict",
    "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/component_server", "/login",
)  # fmt: skip
TREES = {
    "a million unknown fields": b"{%b}" % b",".join(b'"k%d":1' % number for number in range(1_000_000)),
    "four million values": b'{"data":[%b],"fn_index":0,"session_hash":"a"}' % b",".join([b"[]"] * 4_000_000),
    "a million levels": b'{"image":%b%b}' % (b"[" * 1_000_000, b"]" * 1_000_000),
    "a million levels of objects": b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000,
    "a number of a million digits": b'{"image":%b}' % (b"9" * 1_000_000),
    "half a million escapes": b'{"image":"%b"}' % (b"\\u0000" * 500_000),
    "base64 of 11 MB": b'{"image":"%b"}' % (b"A" * 11_000_000),
}
SMALL = 4000  # bytes of a refusal: it repeats nothing of what was sent
ENDLESS = (
    ("/gradio_api/queue/join", JSON, b'{"data":["'), ("/gradio_api/call/predict", JSON, b'{"data":["'),
    ("/gradio_api/component_server", JSON, b'{"data":["'), ("/login", FIELDS, b"username=a&password="),
    ("/gradio_api/upload", FORM, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n'),
    ("/api/predict", "image/png", b""), ("/nowhere", JSON, b""), ("/", "text/plain", b""),
)  # fmt: skip
DISPOSITION = b'Content-Disposition: form-data; name="a"; filename="a"'
FORMS = {
    "100,000 fields": lambda: bombs.form([b'Content-Disposition: form-data; name="a"\r\n\r\n'] * 100_000),
    "100,000 files": lambda: bombs.form([DISPOSITION + b"\r\n\r\n"] * 100_000),
    "a header of 9 MB": lambda: bombs.form([DISPOSITION[:-1] + b"a" * 9_000_000 + b'"\r\n\r\nx']),
    "300,000 headers": lambda: bombs.form([b"a: b\r\n" * 300_000 + DISPOSITION + b"\r\n\r\n" + SEVEN]),
    "no end": lambda: bombs.form([DISPOSITION + b"\r\n\r\n" + SEVEN])[:-5],
    "no beginning": lambda: b"a" * 9_000_000,
    "only dashes": lambda: b"-" * 9_000_000,
}


@pytest.fixture(scope="module")
def page():
    """Logins are no guesses here: their bodies have to come through."""
    page = AttackedPage(DEMO_RATE_LIMIT_LOGIN="60000/minute")
    yield page
    assert page.stop().endswith("Stopped.\nexit status 0\n")


def test_json_that_costs_more_to_parse_than_to_send(attack):
    """JSON of a million fields, levels, values, digits or escapes is refused in a few words."""
    for (name, body), path in itertools.product(TREES.items(), PATHS):
        reply = exchange(attack, "POST", path, {"Content-Type": JSON}, body)
        assert reply.status in (400, 401, 404, 405, 413, 415, 422), (name, path)
        assert len(reply.body) < SMALL


def test_bodies_that_announce_no_end(attack):
    """Bodies in chunks without a length are cut off at the limits of their paths, before they are kept whole."""
    with ThreadPoolExecutor(len(ENDLESS)) as threads:
        replies = list(threads.map(lambda body: send_without_end(attack, *body), ENDLESS))
    assert {reply.status for reply in replies} <= {0, 400, 401, 403, 404, 405, 408, 413, 415, 422}


def send_without_end(attack, path, kind, start):
    megabyte = b"100000\r\n%b\r\n" % (b"a" * 0x100000)
    with connect(attack) as connection:
        with suppress(ConnectionError):  # which is how it is cut off
            connection.sendall(head(attack, "POST", path, {"Content-Type": kind, "Transfer-Encoding": "chunked"}))
            connection.sendall(b"%x\r\n%b\r\n" % (len(start), start) if start else b"")
            for _ in range(256):
                connection.sendall(megabyte)
            connection.sendall(b"0\r\n\r\n")
        return read_reply(connection)


def test_forms_of_countless_parts(attack):
    """Forms of countless fields, files or headers are refused, by the API's routes as by the page's upload."""
    for (name, make), path in itertools.product(FORMS.items(), ("/api/predict", "/gradio_api/upload", "/login")):
        reply = exchange(attack, "POST", path, {"Content-Type": FORM}, make())
        assert reply.status in (0, 200, 400, 401, 404, 405, 413, 415, 422), (name, path)
        assert len(reply.body) < SMALL or reply.status == 200
    for boundary in (b"z" * 10_000, b"", b"\xff" * 70):
        kind = f"multipart/form-data; boundary={boundary.decode('latin-1')}"
        reply = exchange(attack, "POST", "/api/predict", {"Content-Type": kind}, bombs.form([DISPOSITION], boundary))
        assert reply.status in (400, 413, 415, 422, 431)


def test_two_lengths(attack):
    """A request whose length can be read in two ways, as for smuggling another past a proxy, is not answered twice."""
    for lengths in (
        {"Content-Length": "5", "Transfer-Encoding": "chunked"}, {"Content-Length": "+5"}, {"Content-Length": "5, 6"},
        {"Content-Length": "-1"}, {"Content-Length": "0x5"}, {"Transfer-Encoding": "xchunked", "Content-Length": "5"},
        {"Content-Length": "9" * 4000}, {"Transfer-Encoding": "chunked, identity"},
    ):  # fmt: skip
        body = b"0\r\n\r\nGET /api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with connect(attack) as connection:
            sent = {"Content-Type": JSON, "Connection": "close"} | lengths
            connection.sendall(head(attack, "POST", "/api/predict", sent) + body)
            reply = read_reply(connection)
        assert reply.status in (0, 400, 408, 413, 422), lengths
        assert b"HTTP/1.1 200" not in reply.body
