"""Paths that a visitor names: no file of the server is opened, served or told of."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from settings import ROOT
from tests.helpers.attacked_page import OPERATOR_KEY

UNUPLOADED = (
    str(ROOT / "docs" / "seven.png"), "docs/seven.png", "/etc/passwd", "/etc/no-such-file", "/etc", "/dev/zero",
    "/dev/stdin", "/proc/self/environ", "/proc/self/fd/0", "", ".", "\0", "a" * 100_000, "//127.0.0.1/share",
    "file:///etc/passwd", "http://127.0.0.1:1/x.png", "https://example.com/x.png", "data:image/png;base64,AAAA",
    ["/etc/passwd"], {"path": "/etc/passwd"}, 0, 1.5, True,
)  # fmt: skip
KEYS = ({}, {"meta": {"_type": "gradio.FileData"}}, {"is_stream": True}, {"url": "http://127.0.0.1:1/x.png"})
SERVED = (
    "/etc/passwd", "settings.py", ".env", "mlflow.db", "models/mnist/model.json", "file:///etc/passwd",
    "/proc/self/environ", "http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "//127.0.0.1/x", "https://example.com/",
)  # fmt: skip
ELSEWHERE = (
    "/gradio_api/proxy=http://127.0.0.1:1/", "/static/../../../../.env", "/static/..%2f..%2f..%2fsettings.py",
    "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd", "/static-offline-docs/..%2f..%2fsettings.py",
    "/static-offline-docs/%2e%2e/%2e%2e/settings.py", "/svelte/..%2f..%2f..%2fetc/passwd",
    "/gradio_api/custom_component/x/client/type/..%2f..%2fetc%2fpasswd",
)  # fmt: skip
SECRETS = (b"root:", b"class Settings", b"SQLite format", OPERATOR_KEY.encode(), b"DEMO_")


def call(http, api_name, value):
    """Return the last event of a call, and what it carries."""
    reply = http.post(f"/gradio_api/call/{api_name}", json={"data": [value]})
    if reply.status_code != 200:
        assert reply.status_code in (400, 403, 422)
        return "error", "refused"
    stream = http.get(f"/gradio_api/call/{api_name}/{reply.json()['event_id']}").text
    event, _, data = stream.strip().rpartition("event: ")[2].partition("\n")
    return event, data.removeprefix("data: ")


def paths_of(page):
    """Files that the page's folder really holds, and ways into it from the folder of uploads."""
    uploads = page.folder / "uploads"
    kept = [page.folder / "client.key", page.folder / "history.db", page.folder / "output", uploads]
    return [*map(str, kept), f"{uploads}/../client.key", f"{uploads}/x/../../history.db", str(uploads / "missing.png")]


@pytest.mark.parametrize("api_name", ["predict_photo", "predict"])
def test_no_file_is_opened_that_was_not_uploaded(attack, api_name):
    """A path, URL or device named as a photo or drawing is refused, and the refusal tells nothing of it."""
    refusals = set()
    with attack.client() as http:
        for path in (*UNUPLOADED, *paths_of(attack.page)):
            for keys in KEYS:
                file = {"path": path, **keys}
                value = (
                    file if api_name == "predict_photo" else {"background": None, "layers": [file], "composite": file}
                )
                event, data = call(http, api_name, value)
                assert event == "error" or not path, (file, data)  # no path is no picture
                refusals.add(data if path else "")
    assert len(refusals - {""}) <= 2  # for a path, and for what is none


def test_no_event_of_the_page_opens_a_file(attack):
    """No event of any tab opens a file that was not uploaded, wherever among its inputs the operator names it."""
    with attack.client(headers={"X-API-Key": OPERATOR_KEY}) as http:
        events = [event for event in http.get("/config").json()["dependencies"] if event["backend_fn"]]
        named = ({"path": "/etc/passwd"}, [{"image": {"path": "/etc/passwd"}}])
        asked = [(event, file) for event in events if event["inputs"] for file in named]
        assert len(asked) > 40
        with ThreadPoolExecutor(8) as threads:
            ends = list(threads.map(lambda pair: outcome(http, *pair), asked))
    assert [(event["api_name"], end) for (event, _), end in zip(asked, ends, strict=True) if "root:" in end] == []
    assert [end for end in ends if "success" in end and '"success":false' not in end.replace(" ", "")] == []


def outcome(http, event, file):
    """Return the last message of an event whose inputs all name this file."""
    session = secrets.token_hex(8)
    body = {"data": [file] * len(event["inputs"]), "fn_index": event["id"], "session_hash": session}
    reply = http.post("/gradio_api/queue/join", json=body)
    if reply.status_code != 200:
        return reply.text
    with http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: ") and json.loads(line[6:])["msg"] in ("process_completed", "unexpected_error"):
                return line
    return ""


def test_no_file_is_served_that_is_not_the_pages(attack):
    """No path or URL is served but the page's own scripts, its uploads and what it shows."""
    with attack.client() as http:
        for path in (*SERVED, *paths_of(attack.page)):
            for prefix in ("/gradio_api/file=", "/file=", "/gradio_api/file/"):
                reply = http.get(prefix + path)
                assert reply.status_code in (400, 403, 404), path
                assert not any(secret in reply.content for secret in SECRETS)
        for path in ELSEWHERE:
            reply = http.get(path)
            assert reply.status_code in (400, 403, 404, 405), path
            assert not any(secret in reply.content for secret in SECRETS)
