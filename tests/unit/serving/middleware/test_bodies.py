"""What is sent to the page's paths, over the network and to the middleware by itself."""

import asyncio
import http.client
import json
import logging
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.core.received import Pace
from serving.middleware.bodies import BodyMiddleware
from serving.uploads.cache import MAX_FILE_MB

JSON, FORM = "application/json", "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nabc\r\n'
EVENTS = ("/gradio_api/queue/join", "/gradio_api/call/predict", "/gradio_api/cancel", "/gradio_api/reset")


@pytest.fixture(scope="module")
def address(url):
    return url.removeprefix("http://").rstrip("/")


@pytest.fixture
def cache():
    """What lies in the page's cache of uploads, as a function."""
    from gradio.utils import get_upload_folder

    return lambda: {path for path in Path(get_upload_folder()).rglob("*") if path.is_file()}


def ask(address, method, path, body, content_type, **options):
    """The answer's status and its text."""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(method, path, body, {"Content-Type": content_type}, **options)
    reply = connection.getresponse()
    answer = reply.status, reply.read().decode()
    connection.close()
    return answer


def event(**fields):
    return json.dumps({"data": [], "fn_index": 0, "session_hash": "a"} | fields).encode()


@pytest.mark.parametrize("path", EVENTS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"data":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 422),
        (b'{"data":' + b"[" * 40 + b"]" * 40 + b"}", 422),
        (b'{"data":[' + b"[]," * 600_000 + b"[]]}", 422),
        (b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}", 422),
        (event(data=["a" * 3 * MIB]), 413),
        (event(data=["\\"]).decode().encode("utf-16"), 400),
        (event(session_hash="\ud800"), 400),
        (b'{"data":["' + b"\xff" * 100 + b'"]}', 400),
        (b'{"data":[' + b"9" * 100_000 + b"]}", 400),
        (b"{" * 3, 422),
    ],
    ids=[
        "nested",
        "less-nested",
        "lists",
        "names",
        "long",
        "utf-16",
        "half-character",
        "no-utf-8",
        "huge-number",
        "no-json",
    ],
)
def test_an_event_out_of_bounds_is_refused_in_few_words(address, path, body, status, caplog):
    got, text = ask(address, "POST", path, body, JSON)
    assert got == status
    assert json.loads(text)["detail"]
    assert len(text) < 1200
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


@pytest.mark.parametrize("fields", [{"fn_index": -1}, {"fn_index": 99_999}, {"trigger_id": 10**400}, {"data": {}}])
def test_an_event_that_there_is_not_is_refused_without_a_fault(address, fields, caplog):
    for path in ("/gradio_api/queue/join", "/gradio_api/call/nothing", "/gradio_api/call/v2/predict"):
        status, text = ask(address, "POST", path, event(**fields), JSON)
        assert (400 <= status < 500) or (status, "event_id" in text) == (200, True)
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


@pytest.mark.parametrize("path", EVENTS)
@pytest.mark.parametrize("kind", ["text/plain", FORM, "application/x-www-form-urlencoded", ""])
def test_what_is_no_json_is_not_sent_back(address, path, kind):
    status, text = ask(address, "POST", path, b"a" * MIB, kind)
    assert 400 <= status < 500
    assert len(text) < 1200


@pytest.mark.parametrize("path", [*EVENTS, "/login", "/gradio_api/upload"])
def test_a_body_without_a_length_is_bounded(address, path):
    host, port = address.split(":")
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
        with pytest.raises(OSError):  # noqa: PT011 it hangs up in various ways
            connection.sendall(200 * chunk)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_method_without_a_body_is_given_none(address, method):
    assert ask(address, method, "/", b"a", JSON)[0] == 413
    assert ask(address, method, "/", iter([b"a"]), JSON, encode_chunked=True)[0] == 413


def test_a_login_is_short(address):
    assert ask(address, "POST", "/login", b"username=a&password=" + b"b" * 20_000, "application/x-www-form-urlencoded")[
        0
    ] == 413  # fmt: skip


def test_the_largest_batch_is_let_through(address):
    path = f"/cache/{'a' * 64}/picture, with a name.png"
    file = {
        "path": path,
        "url": f"http://{address}/gradio_api/file={path}",
        "orig_name": "picture, with a name.png",
        "size": 12345,
        "mime_type": "image/png",
        "is_stream": False,
        "meta": {"_type": "gradio.FileData"},
    }
    config = json.loads(ask(address, "GET", "/config", None, JSON)[1])
    number = next(each["id"] for each in config["dependencies"] if each["api_name"] == "predict")
    largest = event(data=[[file] * 2000], fn_index=number)
    status, text = ask(address, "POST", "/gradio_api/queue/join", largest, JSON)
    assert (status, "event_id" in text) == (200, True), text


PARTS = {
    "no-end": (FILE, 400),
    "fields": (b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n' + b"a" * MIB + b"\r\n--b--\r\n", 400),
    "another-name": (FILE.replace(b'"files"', b'"other"') + b"--b--\r\n", 400),
    "files-beyond": (FILE * 1001 + b"--b--\r\n", 413),
    "boundaries-in-a-file": (FILE.replace(b"abc", b"abc" + b"\r\n--bx" * 5000) + b"--b--\r\n", 413),
    "long-header": (FILE.replace(b"a.png", b"a" * MIB) + b"--b--\r\n", 400),
    "many-headers": (FILE.replace(b"--b\r\n", b"--b\r\n" + b"a: b\r\n" * 100_000) + b"--b--\r\n", 400),
    "good-then-bad": (FILE * 3 + FILE.replace(b"; name", b"; nome") + b"--b--\r\n", 400),
    "large-file": (FILE.replace(b"abc", bytes((MAX_FILE_MB + 1) * MIB)) + b"--b--\r\n", 413),
    "no-form": (b"abc", 400),
    "nothing": (b"", 400),
}


@pytest.mark.parametrize("case", PARTS)
def test_an_upload_that_is_refused_leaves_nothing_behind(address, cache, case):
    body, status = PARTS[case]
    before = cache()
    for options in ({}, {"encode_chunked": True}):
        sent = body if not options else iter([body[:10], body[10:]] if body else [])
        got, text = ask(address, "POST", "/gradio_api/upload", sent, FORM, **options)
        assert (got, bool(json.loads(text)["detail"])) == (status, True)
    assert cache() == before


@pytest.mark.parametrize("kind", [JSON, "", "multipart/form-data", f"multipart/form-data; boundary={'z' * 10_000}"])
def test_an_upload_that_is_no_form_is_refused(address, kind):
    assert ask(address, "POST", "/gradio_api/upload", FILE + b"--b--\r\n", kind)[0] in (400, 415)


def test_an_upload_comes_through(address, cache):
    before = cache()
    status, text = ask(address, "POST", "/gradio_api/upload", FILE + FILE + b"--b--\r\n", FORM)
    assert status == 200
    assert {path.read_bytes() for path in map(Path, json.loads(text))} == {b"abc"}
    assert len(cache() - before) <= 1


def test_an_upload_cut_off_leaves_nothing_behind(address, cache, services):
    before = cache()
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {address}\r\nContent-Type: {FORM}\r\nContent-Length: 999\r\n"
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(FILE)
    assert ask(address, "POST", "/gradio_api/upload", FILE + b"--b--\r\n", FORM)[0] == 200
    assert len(cache() - before) <= 1


class Page:
    """An application that reads a body and answers its size."""

    async def __call__(self, _scope, receive, send):
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "size": size})


def passed(services, path, receive, content_type=JSON):
    """What the middleware lets through to the page."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "client": ("203.0.113.1", 1)}
    scope["headers"] = [(b"content-type", content_type.encode()), (b"transfer-encoding", b"chunked")]
    pace = Pace(0.01, 0.05)
    asyncio.run(BodyMiddleware(Page(), services, pace, pace)(scope, receive, send))
    return sent


def arriving(pieces, *, ends):
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages += [{"type": "http.request"}] * ends

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    return receive


@given(st.lists(st.sampled_from([b'{"a":', b"1", b'"[,', b'"', b"}", b" "])))
def test_an_event_in_any_pieces_comes_whole(services, pieces):
    (answer,) = passed(services, "/gradio_api/queue/join", arriving(pieces, ends=True))
    assert answer["size"] == len(b"".join(pieces))


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/login", "/"])
def test_a_body_that_stops_holds_nothing(services, path):
    with pytest.raises(Refused) as refused:
        passed(services, path, arriving([b"{"], ends=False))
    assert (refused.value.status, services.load.memory.used, services.load.places.used) == (408, 0, 0)
