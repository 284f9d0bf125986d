"""Pages of other sites and other names of the server: none acts for a visitor or operator, or reads what they may."""

import itertools

import httpx
import pytest

from tests.helpers.attacked_page import AttackedPage
from tests.helpers.raw_http import exchange

JSON = "application/json"
TYPES = (JSON, "text/plain", "application/x-www-form-urlencoded")  # the last two a browser sends without asking first
POSTED = (
    "/api/predict", "/api/predict/batch", "/api/feedback", "/api/retrain", "/api/promote", "/api/rollback",
    "/api/upload/training-data", "/gradio_api/queue/join", "/gradio_api/call/predict", "/gradio_api/run/predict",
    "/gradio_api/upload", "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/component_server", "/login",
    "/operator",
)  # fmt: skip
VISITORS = (
    "/config", "/gradio_api/token", "/gradio_api/token/", "/gradio_api/user", "/gradio_api/info",
    "/gradio_api/startup-events", "/gradio_api/queue/data?session_hash=x", "/gradio_api/heartbeat/x",
)  # fmt: skip
OPERATORS = (
    "/api/history", "/api/stats", "/metrics",
    "/api/training-data", "/api/production-log", "/api/retrain/status",
)  # fmt: skip
REFUSED = (400, 401, 403, 404, 405)


def foreign_origins(host):
    return (
        "https://evil.example", "null", "", f"http://{host}.evil.example", f"http://evil.example/://{host}",
        f"http://{host}@evil.example", "http://localhost:9", f"http://x{host}", f"http://{host}:80", "file://",
        f"evil://x?://{host}", f"http://{host}\\@evil.example", f"http://{host} evil.example",
    )  # fmt: skip


FOREIGN_HOSTS = (
    "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "", "0",
    "2130706433", "[::ffff:127.0.0.1]", "127.0.0.1\\evil.example", "evil.example@127.0.0.1", "127.0.0.1,evil.example",
)  # fmt: skip
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@pytest.fixture
def cookie(page):
    """What the operator's browser sends along, for whichever page it asks."""
    return httpx.get(page.operator_link).headers["set-cookie"].partition(";")[0]


@pytest.fixture(scope="module")
def page():
    """A page for this machine alone, of which a foreign page reaches whatever the browser may that it is open in."""
    page = AttackedPage(DEMO_OPERATOR_KEY="")
    yield page
    page.stop()


def test_a_foreign_page_has_nothing_posted(attack, cookie):
    """Nothing that a page of another site posts is taken, whatever its origin looks like."""
    host = attack.url.split("/")[2]
    body = b'{"data": [null], "fn_index": 1, "session_hash": "x"}'
    for path, origin, kind in itertools.product(POSTED, foreign_origins(host), TYPES):
        reply = exchange(attack, "POST", path, {"Origin": origin, "Content-Type": kind, "Cookie": cookie}, body)
        assert reply.status in REFUSED, (path, origin, kind)
        assert "access-control-allow-origin" not in reply.headers


def test_a_foreign_page_reads_nothing(attack, cookie):
    """Nothing is answered to a page of another site, and no header lets its browser hand over an answer."""
    host = attack.url.split("/")[2]
    for path, origin, method in itertools.product((*VISITORS, *OPERATORS), foreign_origins(host), ("GET", "OPTIONS")):
        asked = {"Origin": origin, "Access-Control-Request-Method": "GET", "Cookie": cookie}
        reply = exchange(attack, method, path, asked)
        assert reply.status in REFUSED, (path, origin)
        assert not {"access-control-allow-origin", "access-control-allow-credentials"} & set(reply.headers)


def test_a_name_that_leads_here_is_no_way_in(attack, cookie):
    """A foreign name that leads to this machine, as of a rebound domain, is answered nothing of the operator's."""
    for path, name in itertools.product(POSTED, FOREIGN_HOSTS):
        for headers in ({"Host": name}, {"Host": name, "Origin": f"http://{name}"}):
            sent = headers | {"Content-Type": JSON, "Cookie": cookie}
            reply = exchange(attack, "POST", path, sent, b"{}")
            assert reply.status in REFUSED, (path, headers)
    for path, name in itertools.product(OPERATORS, FOREIGN_HOSTS):
        assert exchange(attack, "GET", path, {"Host": name, "Cookie": cookie}).status in REFUSED, (path, name)


def test_no_address_makes_an_operator(attack):
    """Whoever seems to come from this machine, or says so, gets nothing of the operator's without the key."""
    for path, name, host in itertools.product(OPERATORS, FORWARDED, ("localhost", "127.0.0.1", "[::1]")):
        reply = exchange(attack, "GET", path, {name: "127.0.0.1", "Host": host})
        assert reply.status == 401, (path, name, host)
