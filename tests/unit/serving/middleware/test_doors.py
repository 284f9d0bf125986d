"""Which of the paths that Gradio brings are open, and what lies behind them."""

import asyncio
import http.client
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from gradio.routes import App
from gradio.utils import get_upload_folder
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from serving.api.schemas import ErrorAnswer
from serving.middleware.doors import DOORS, MCP_PATHS, Turns, find_door, is_uploaded
from tests.helpers.tab_events import upload

OPEN = {
    *DOORS,
    "/assets/{path:path}",
    "/static/{path:path}",
    "/gradio_api/heartbeat/{session_hash}",
    "/gradio_api/call/{api_name}",
    "/gradio_api/call/v2/{api_name}",
    "/gradio_api/call/{api_name}/{event_id}",
    "/gradio_api/file={path_or_url:path}",
}
"""The routes of Gradio that the page or its clients ask; a new one belongs here only once one of them does."""
OWN = {"/operator", "/card.png", "/icon-192.png", "/icon-512.png", *MCP_PATHS}
"""The project's own."""
CLOSED = [
    "/gradio_api/component_server", "/gradio_api/process_recording", "/gradio_api/proxy=http://127.0.0.1/",
    "/gradio_api/deep_link?session_hash=x", "/gradio_api/stream/x", "/gradio_api/runs", "/gradio_api/token",
    "/gradio_api/vibe-edit", "/gradio_api/run/predict", "/gradio_api/api/predict", "/gradio_api/queue/status",
    "/gradio_api/startup-events", "/gradio_api/file/etc/passwd", "/gradio_api/openapi.json", "/monitoring/summary",
    "/svelte/x", "/pwa_icon", "/gradio_api/user/", "//config", "/./config", "/config/", "/CONFIG", "/config%00",
    "/gradio_api//token", "/assets/..%2f..%2fx", "/assets/%2e%2e/x", "/static/..%2f..%2fx.py", "/static//etc/passwd",
    "/gradio_api/call/a/b/c", "/gradio_api/heartbeat/a%2fb", "/gradio_api%5cuser", "/nothing", "/%2fconfig",
]  # fmt: skip


@pytest.fixture
def cached():
    """A folder in the page's cache."""
    with tempfile.TemporaryDirectory(dir=get_upload_folder()) as folder:
        yield Path(folder)


def ask(url, method, path, **headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    answer = reply.status, dict(reply.getheaders()), reply.read()
    connection.close()
    return answer


def paths_of(router):
    """Paths of all routes, those of routers within a router too."""
    for route in router.routes:
        yield from [route.path] if hasattr(route, "path") else paths_of(route.original_router)


def test_no_route_of_gradio_is_open_but_those_that_somebody_needs(build, services):
    async def mount(page):  # where no loop runs Gradio makes one that it never closes
        return App.create_app(page)

    paths = set(paths_of(asyncio.run(mount(build(services)))))
    assert len(paths) > 60
    examples = {path: re.sub(r"\{[^}]*\}", "a/b" if "static" in path else "a", path) for path in paths}
    assert {path for path in paths if find_door(examples[path])} == OPEN - OWN


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE"])
def test_what_is_no_door_is_not_there_whatever_the_method(url, method):
    for path in CLOSED:
        status, _, body = ask(url, method, path)
        assert status == 404, path
        assert method == "HEAD" or ErrorAnswer.model_validate_json(body).error.code == "not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("GET", "/login"), ("POST", "/logout"), ("GET", "/gradio_api/upload"), ("DELETE", "/config")],
)
def test_a_door_takes_its_own_methods_alone(url, method, path):
    status, _, body = ask(url, method, path, X_HTTP_Method_Override="GET")
    assert (status, ErrorAnswer.model_validate_json(body).error.code) == (405, "wrong_method")


def test_an_uploaded_file_is_served_whole_and_nothing_else_is_told_apart(url, seven_png, cached):
    path = Path(upload(url, "seven.png", seven_png)["path"])
    status, headers, body = ask(url, "GET", f"/gradio_api/file={path}", Range="bytes=0-3", X_Private="mine")
    assert (status, body, "x-private" in headers) == (200, seven_png, False)
    (cached / "link.png").symlink_to("/etc/passwd")
    os.mkfifo(cached / "pipe.png")
    others = [
        "/etc/passwd", "/etc/no-such-file", "/dev/zero", f"{cached}", f"{cached}/../../passwd",
        f"{cached}/link.png", f"{cached}/pipe.png", f"{path}%00", f"file://{path}", f"/{path}.png",
        "http://127.0.0.1/", "https://example.com/a.png", "//example.com/a.png", "data:text/html,x", "", ".",
        "settings.py", f"{get_upload_folder()}x/a.png", "%5c%5chost%5ca", "a" * 5000,
    ]  # fmt: skip
    replies = {(status, body) for status, _, body in (ask(url, "GET", f"/gradio_api/file={other}") for other in others)}
    assert len(replies) == 1
    status, body = replies.pop()
    assert (status, ErrorAnswer.model_validate_json(body).error.code) == (404, "not_found")


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.png", "a.txt", "a.xhtml", "a.pdf", "a"])
def test_what_a_visitor_has_uploaded_is_never_run(url, name):
    path = upload(url, name, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")["path"]
    status, headers, _ = ask(url, "GET", f"/gradio_api/file={path}")
    assert (status, headers["x-content-type-options"]) == (200, "nosniff")
    assert "sandbox" in headers["content-security-policy"]
    is_shown = headers["content-type"].startswith(("image/png", "text/plain"))
    assert is_shown or headers["content-disposition"].startswith("attachment")


@given(st.text(), st.booleans())
def test_no_path_leads_out_of_the_cache(path, is_inside):
    assert not is_uploaded(f"{get_upload_folder()}/{path}" if is_inside else path)
    find_door(path)


def test_an_address_of_ones_own_choice_is_shown_to_nobody(url):
    forged = {"X_Forwarded_Host": "evil.example", "X_Gradio_Server": "http://evil.example"}
    for path in ("/gradio_api/info", "/gradio_api/info?all_endpoints=True", "/config", "/"):
        assert b"evil.example" not in ask(url, "GET", path, **forged)[2]
        assert b"evil.example" not in ask(url, "GET", path)[2]
    assert ask(url, "GET", "/?page=x&deep_link=y")[0] == 200


def test_the_page_links_to_tls_where_it_ends_at_a_proxy_that_is_not_trusted(url):
    config = json.loads(ask(url, "GET", "/config", X_Forwarded_Proto="https")[2])
    assert config["root"] == url.replace("http:", "https:").rstrip("/")


def test_a_login_closes_what_gradio_leaves_open(served, classifier, settings):
    guarded = served(classifier, settings.model_copy(update={"username": "ann", "password": SecretStr("secret")}))
    for path in ("/gradio_api/heartbeat/x", "/gradio_api/file=/etc/passwd", "/config", "/gradio_api/info"):
        assert ask(guarded, "GET", path)[0] == 401
    assert ask(guarded, "POST", "/gradio_api/cancel")[0] == 401
    assert ask(guarded, "GET", "/")[0] == ask(guarded, "GET", "/theme.css")[0] == 200


def test_what_is_costly_is_answered_to_each_client_in_turn():
    """The turn ends with the answer, not once it is read."""
    rendering, most, sent = [], [], []

    async def app(scope, receive, send):
        rendering.append(scope["client"])
        most.append(len(rendering))
        assert len(set(rendering)) == len(rendering)
        await asyncio.sleep(0)
        rendering.remove(scope["client"])
        await send({"type": "http.response.start"})
        if scope["client"] == "failing":
            raise ValueError
        await asyncio.Event().wait()  # an answer that nobody reads

    async def send(message):
        sent.append(message)

    async def ask_all():
        turns = Turns()
        clients = ["one", "other", "one", "failing", "one", "failing"]
        asked = [asyncio.ensure_future(turns.take(name, app, {"client": name}, None, send)) for name in clients]
        await asyncio.wait(asked, timeout=0.1)
        for task in asked:
            task.cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    outcomes = asyncio.run(ask_all())
    assert len(sent) == 6
    assert max(most) == 3
    assert [type(outcome).__name__ for outcome in outcomes].count("ValueError") == 2
