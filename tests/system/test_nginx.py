"""nginx.conf in a real nginx, before three replicas that answer with their name and what they were sent."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.helpers.proxied import ask


def test_stateless_routes_are_spread_evenly(nginx):
    counts = Counter(ask(nginx, "POST", "/api/predict", b"png")[2]["replica"] for _ in range(60))
    assert sorted(counts.values()) == pytest.approx([20, 20, 20], abs=2)


def test_a_visitor_stays_with_one_replica_by_cookie(nginx):
    replicas = set()
    for _ in range(12):
        _, headers, first = ask(nginx, "GET", "/")
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        cookie = cookie.split(";")[0]
        paths = ("/gradio_api/upload", "/gradio_api/queue/join", "/assets/x.js")
        again = [ask(nginx, "POST", path, b"x", Cookie=cookie) for path in paths]
        assert {answer["replica"] for _, _, answer in again} == {first["replica"]}
        assert all("Set-Cookie" not in headers for _, headers, _ in again)
        replicas.add(first["replica"])
    assert len(replicas) > 1


def test_a_program_stays_with_one_replica_by_header(nginx):
    replicas_by_name = {
        name: {ask(nginx, "POST", "/x", b"x", X_Affinity=name)[2]["replica"] for _ in range(5)} for name in "abcdefghij"
    }
    assert all(len(replicas) == 1 for replicas in replicas_by_name.values())
    assert len(set.union(*replicas_by_name.values())) > 1


@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch"])
def test_a_prediction_is_asked_of_another_replica_when_one_breaks_off(nginx, replicas, path):
    replicas[1].breaks = True
    statuses = [ask(nginx, "POST", path, b"png")[0] for _ in range(9)]
    assert statuses == [200] * 9
    assert replicas[1].asked == [f"POST {path}"], "a broken replica is left alone for a while"


def test_a_repeated_prediction_keeps_its_id(nginx, replicas):
    ids = [ask(nginx, "POST", "/api/predict", b"png")[2]["headers"]["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/promote"), ("DELETE", "/api/history"), ("POST", "/gradio_api/queue/join")]
)
def test_what_may_change_state_is_never_sent_twice(nginx, replicas, method, path):
    for replica in replicas:
        replica.breaks = True
    assert ask(nginx, method, path, b"x")[0] == 502
    assert len(list(itertools.chain.from_iterable(replica.asked for replica in replicas))) == 1


def test_what_reads_is_asked_of_another_replica(nginx, replicas):
    replicas[2].breaks = True
    assert [ask(nginx, "GET", path)[0] for path in ("/api/model", "/api/history?page=2", "/api/stats") * 2] == [200] * 6


def test_a_busy_or_unready_replicas_answer_is_passed_on(nginx, replicas):
    assert ask(nginx, "GET", "/api/ready")[0] == 503
    assert sum(len(replica.asked) for replica in replicas) == 1


def test_a_replica_that_came_back_is_asked_again(nginx, replicas):
    replicas[0].breaks = True
    for _ in range(6):
        ask(nginx, "POST", "/api/predict", b"png")
    replicas[0].breaks = False
    asked_before = len(replicas[0].asked)
    end = time.monotonic() + 30
    while len(replicas[0].asked) == asked_before and time.monotonic() < end:
        assert ask(nginx, "POST", "/api/predict", b"png")[0] == 200
        time.sleep(0.2)
    assert len(replicas[0].asked) > asked_before


def test_events_come_as_they_happen(nginx, replicas):
    for replica in replicas:
        replica.go_on = threading.Event()
    connection = http.client.HTTPConnection(urlsplit(nginx.url).netloc, timeout=10)
    connection.request("GET", "/stream")
    reply = connection.getresponse()
    assert reply.readline() == b"data: first\n"  # while the replica still holds the second back
    for replica in replicas:
        replica.go_on.set()
    assert b"data: second" in reply.read()
    connection.close()


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/api/predict", 12), ("/api/predict/batch", 66), ("/gradio_api/upload", 66), ("/gradio_api/queue/join", 3)],
)
def test_bodies_are_bounded(nginx, path, limit):
    assert ask(nginx, "POST", path, bytes(1000))[2]["bytes"] == 1000
    connection = http.client.HTTPConnection(urlsplit(nginx.url).netloc, timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str((limit << 20) + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_replicas_are_told_the_real_client_and_host(nginx):
    forged = {"X_Forwarded_For": "203.0.113.7", "X_Request_ID": "mine", "Host": "digits.example"}
    headers = ask(nginx, "POST", "/api/predict", b"x", **forged)[2]["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["host"] == headers["x-forwarded-host"] == "digits.example"
    assert headers["x-request-id"] != "mine"
    assert headers["x-forwarded-proto"] == "http"


def test_connections_can_be_upgraded(nginx):
    headers = ask(nginx, "GET", "/ws", Connection="Upgrade", Upgrade="websocket")[2]["headers"]
    assert (headers["connection"], headers["upgrade"]) == ("upgrade", "websocket")


def test_metrics_are_not_handed_out(nginx, replicas):
    assert ask(nginx, "GET", "/metrics")[0] == 404
    assert not any(replica.asked for replica in replicas)


@pytest.mark.parametrize("status", [413, 422, 429, 500, 503])
@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch"])
def test_an_answer_is_never_asked_for_again(nginx, replicas, path, status):
    for replica in replicas:
        replica.status = status
    assert ask(nginx, "POST", path, b"png")[0] == status
    assert sum(len(replica.asked) for replica in replicas) == 1


@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch"])
def test_what_ended_two_replicas_is_not_sent_to_the_third(nginx, replicas, path):
    for replica in replicas:
        replica.breaks = True
    assert ask(nginx, "POST", path, b"png")[0] == 502
    assert sum(len(replica.asked) for replica in replicas) == 2


def test_the_cookie_is_secure_over_tls(nginx):
    assert ask(nginx, "GET", "/")[1]["Set-Cookie"].endswith("; HttpOnly; SameSite=Lax")
    secure = ask(nginx, "GET", "/", X_Forwarded_Proto="https")[1]["Set-Cookie"]
    assert secure.endswith("; HttpOnly; SameSite=Lax; Secure")


def test_no_client_address_is_logged(nginx):
    ask(nginx, "POST", "/api/predict", b"x")
    end = time.monotonic() + 10
    while not nginx.log.read_text() and time.monotonic() < end:
        time.sleep(0.05)
    entry = json.loads(nginx.log.read_text())
    assert entry["path"] == "/api/predict"
    assert entry["status"] == 200
    assert set(entry) == {"time", "id", "method", "path", "status", "bytes", "seconds", "replica", "replica_status"}
