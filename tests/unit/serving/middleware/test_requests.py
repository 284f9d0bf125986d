"""The whole application over the network: page and API behind the middleware."""

import http.client
import json
import socket
import time
from dataclasses import replace

import pytest
from gradio_client import Client, handle_file
from pydantic import SecretStr

from serving.api.schemas import ErrorAnswer, PredictAnswer
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter
from tests.helpers.api import assert_refused


@pytest.fixture(scope="module")
def address(url):
    return url.removeprefix("http://").rstrip("/")


def ask(address, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    answer = reply.status, dict(reply.getheaders()), reply.read()
    connection.close()
    return answer


def test_page_and_api_share_a_port_and_every_answer_has_an_id(address):
    for path in ("/", "/api/health", "/api/nothing", "/theme.css"):
        assert len(ask(address, "GET", path)[1]["x-request-id"]) == 32
    assert ask(address, "GET", "/", X_Request_ID="given-by-a-proxy")[1]["x-request-id"] == "given-by-a-proxy"
    assert ask(address, "GET", "/", X_Request_ID="no good")[1]["x-request-id"] != "no good"


def test_a_picture_is_answered_beside_the_page(address, seven_png):
    status, _, body = ask(address, "POST", "/api/predict", seven_png, Content_Type="image/png")
    assert status == 200
    assert PredictAnswer.model_validate_json(body).label == "7"


def test_the_documentation_needs_nothing_from_outside(address):
    status, _, page = ask(address, "GET", "/docs")
    assert status == 200
    assert b"//cdn" not in page
    paths = json.loads(ask(address, "GET", "/openapi.json")[2])["paths"]
    assert {"/api/health", "/api/predict", "/api/predict/batch", "/api/history", "/metrics"} <= set(paths)


@pytest.mark.parametrize("path", ["/api/predict", "/gradio_api/queue/join", "/gradio_api/upload", "/login"])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "https://evil.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Host": "evil.example"}, "foreign_host"),
    ],
)
def test_nothing_is_changed_for_a_foreign_page(address, path, headers, code):
    status, _, body = ask(address, "POST", path, b"{}", **headers)
    assert (status, json.loads(body)["error"]["code"]) == (403, code)


@pytest.mark.parametrize(
    "path", ["/api/history", "/", "/config", "/gradio_api/token", "/gradio_api/info", "/gradio_api/file=/etc/hostname"]
)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:1", "null"])
def test_a_foreign_page_reads_nothing_of_page_or_api(address, path, origin):
    status, headers, _ = ask(address, "GET", path, Origin=origin)
    assert status == 403
    assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/config", "/api/health", "/gradio_api/info"])
def test_a_name_that_was_led_to_this_machine_reads_nothing(address, path):
    assert ask(address, "GET", path, Host="evil.example")[0] == 403


def test_a_request_that_names_two_hosts_is_refused(address):
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: {address}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_the_own_page_may(address):
    assert ask(address, "GET", "/api/health", Origin=f"http://{address}")[0] == 200


def test_a_body_that_never_ends_is_refused_and_the_next_request_is_served(address):
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /api/predict HTTP/1.1\r\nHost: {address}\r\nContent-Type: image/png\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        try:
            for _ in range(200):
                connection.sendall(chunk)
        except OSError:  # it has hung up, as it should
            pass
        else:
            pytest.fail("200 MB were taken")
    assert ask(address, "GET", "/api/health")[0] == 200


def test_an_announced_giant_is_refused_before_it_comes(address):
    for path in ("/api/predict", "/gradio_api/upload"):
        host, port = address.split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: image/png\r\n"
                "Content-Length: 99999999999\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_submitted_drawings_are_kept_live_ones_are_not(
    url, services, seven_png, tmp_path, served, settings, classifier
):
    mine = settings.model_copy(update={"artifact_dir": tmp_path})
    url = served(classifier, mine)
    client = Client(url, verbose=False)
    blank = {"background": None, "layers": [], "composite": None}
    client.predict(blank, api_name="/predict")
    (tmp_path / "seven.png").write_bytes(seven_png)
    client.predict(blank | {"composite": handle_file(str(tmp_path / "seven.png"))}, api_name="/predict")
    time.sleep(1.5)
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    history = History(database)
    assert [(entry.source, entry.label) for entry in history.search(AnswerFilter(), 9)] == [("page", "7"), ("page", "")]
    database.close()


def test_the_pages_rate_is_limited_in_words(served, classifier, settings):
    url = served(classifier, settings.model_copy(update={"rate_limit_page": "2/hour"}))
    address = url.removeprefix("http://").rstrip("/")
    for _ in range(2):
        assert ask(address, "POST", "/gradio_api/queue/join", b"{}")[0] != 429
    status, headers, body = ask(address, "POST", "/gradio_api/queue/join", b"{}")
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert "Try again" in json.loads(body)["detail"]
    body = ask(address, "POST", "/gradio_api/queue/join", b"{}", Cookie="language=de")[2]
    assert "Versuche es in" in json.loads(body)["detail"]
    assert "Try again" in json.loads(body)["error"]["hint"]
    assert ask(address, "POST", "/api/predict", b"", Content_Type="image/png")[0] == 422


def test_a_login_on_the_page_opens_the_api_too(served, classifier, settings):
    guarded = settings.model_copy(update={"username": "ann", "password": SecretStr("secret")})
    address = served(classifier, guarded).removeprefix("http://").rstrip("/")
    assert ask(address, "GET", "/api/stats")[0] == 401
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    _, headers, _ = ask(address, "POST", "/login", b"username=ann&password=secret", **form)
    assert headers["set-cookie"].endswith("HttpOnly; SameSite=Lax")
    cookie = headers["set-cookie"].split(";")[0]
    assert ask(address, "GET", "/api/stats", Cookie=cookie)[0] == 200
    assert ask(address, "GET", "/api/stats", Cookie=f"{cookie}x")[0] == 401


def test_logins_are_bounded_and_the_cookies_are_for_this_site_alone(served, classifier, settings):
    guarded = {"username": "ann", "password": SecretStr("secret"), "rate_limit_login": "30/minute"}
    address = served(classifier, settings.model_copy(update=guarded)).removeprefix("http://").rstrip("/")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert ask(address, "POST", "/login", b"username=ann&password=wrong", **form)[0] == 400
    assert (
        ask(address, "POST", "/login", b"username=ann&password=secret", **form, Sec_Fetch_Site="cross-site")[0] == 403
    )
    connection = http.client.HTTPConnection(address)
    headers = {"Content-Type": form["Content_Type"], "Origin": f"https://{address}"}
    connection.request("POST", "/login", b"username=ann&password=secret", headers)
    cookies = connection.getresponse().headers.get_all("set-cookie")
    connection.close()
    assert len(cookies) == 2
    assert all(cookie.endswith("Path=/; HttpOnly; SameSite=Lax; Secure") for cookie in cookies)
    assert {ask(address, "POST", "/login", b"username=ann&password=1", **form)[0] for _ in range(9)} == {400, 429}
    assert ask(address, "GET", "/api/stats", Cookie=cookies[0].split(";")[0])[0] == 200


def test_only_a_trusted_proxy_says_who_the_client_is(served, classifier, settings):
    rates = {"rate_limit_api": "1/hour"}
    distrusting = served(classifier, settings.model_copy(update=rates)).removeprefix("http://").rstrip("/")
    trusting = served(classifier, settings.model_copy(update=rates | {"trusted_proxies": "127.0.0.1"}))
    trusting = trusting.removeprefix("http://").rstrip("/")

    def statuses(address, *clients):
        png = {"Content_Type": "image/png"}
        return [ask(address, "POST", "/api/predict", b"", X_Forwarded_For=client, **png)[0] for client in clients]

    assert statuses(distrusting, "203.0.113.1", "203.0.113.2") == [422, 429]
    assert statuses(trusting, "203.0.113.1", "203.0.113.2", "203.0.113.2") == [422, 422, 429]
    assert statuses(trusting, "203.0.113.9, 203.0.113.1") == [429], "the client's own word does not count"
    assert statuses(trusting, "2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3") == [422, 429, 429], "one /64"
    assert statuses(trusting, "2001:db8:0:1::1", "::ffff:203.0.113.4", "203.0.113.4") == [422, 422, 429]


def test_an_unknown_path_or_method_of_the_api_is_not_the_pages(address):
    for method, path, status in (
        ("GET", "/api/nothing", 404),
        ("GET", "/api/predict", 405),
        ("POST", "/metrics", 405),
        ("GET", "/static-offline-docs/nothing", 404),
        ("GET", "/api/health/", 307),
    ):
        reply = ask(address, method, path)
        assert reply[0] == status
        assert status == 307 or ErrorAnswer.model_validate_json(reply[2])


def test_an_unforeseen_error_is_told_in_the_one_shape_with_its_id(api, services):
    reply = api(replace(services, classifiers={"mnist": None})).get("/api/model")
    assert_refused(reply, 500, "fault")
    assert services.metrics.problems[-1].request_id == reply.headers["x-request-id"]
