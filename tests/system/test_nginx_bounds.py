"""nginx.conf in a real nginx: what one client may send, what is kept of it, and what is logged."""

import select
import socket
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from tests.helpers.proxied import ask


@contextmanager
def unfinished(nginx, path, count, length, address="127.0.0.2"):
    """So many requests whose bodies have begun and go no further; no length: in chunks."""
    bodies = []
    for _ in range(count):
        body = socket.create_connection(("127.0.0.1", urlsplit(nginx.url).port), source_address=(address, 0))
        head = f"Content-Length: {length}\r\n\r\n" if length else "Transfer-Encoding: chunked\r\n\r\n10000\r\n"
        body.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}".encode() + bytes(1000))
        bodies.append(body)
    try:
        yield bodies
    finally:
        for body in bodies:
            body.close()


def refused(bodies, count):
    """Statuses of the first so many that are answered while their bodies are not there."""
    answered, end = [], time.monotonic() + 20
    while len(answered) < count and time.monotonic() < end:
        answered, _, _ = select.select(bodies, [], [], 1)
    return [body.recv(1000).split()[1].decode() for body in answered]


@pytest.mark.parametrize(
    ("path", "length", "share"),
    [("/api/predict", 10**6, 12), ("/api/predict", None, 12), ("/api/predict/batch", 6 * 10**7, 2)],
)
def test_one_client_sends_a_few_large_bodies_at_a_time_and_others_go_on(nginx, path, length, share):
    with unfinished(nginx, path, share + 3, length) as bodies:
        assert refused(bodies, 3) == ["429"] * 3
        assert ask(nginx, "POST", path, bytes(1000), address="127.0.0.2")[0] == 200, "small ones are not among them"
        assert ask(nginx, "POST", path, bytes(10**6), address="127.0.0.3")[0] == 200


def test_one_client_makes_so_many_requests_at_a_time_and_others_go_on(nginx):
    with unfinished(nginx, "/api/predict", 256, 10**5) as bodies:
        assert refused(bodies, 0) == []
        end = time.monotonic() + 20  # nginx may not have begun with the last of them
        while ask(nginx, "GET", "/api/health", address="127.0.0.2")[0] != 429:
            assert time.monotonic() < end
        assert ask(nginx, "GET", "/api/health", address="127.0.0.3")[0] == 200


def test_an_upload_reaches_its_replica_as_it_comes(nginx, replicas):
    """nginx keeps no copy: the replica is asked before the body is there."""
    with unfinished(nginx, "/gradio_api/upload", 1, 6 * 10**7):
        end = time.monotonic() + 20
        while not any(replica.asked for replica in replicas) and time.monotonic() < end:
            time.sleep(0.02)
        assert [line for replica in replicas for line in replica.asked] == ["POST /gradio_api/upload"]


@pytest.mark.parametrize("head", [f"X: {'x' * 9000}", "\r\n".join(f"X-{n}: {'x' * 4000}" for n in range(20))])
def test_heads_are_bounded(nginx, replicas, head):
    with socket.create_connection(("127.0.0.1", urlsplit(nginx.url).port)) as connection:
        connection.sendall(f"GET /api/health HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        assert connection.recv(1000).split()[1] == b"400"
    assert not any(replica.asked for replica in replicas)


def test_no_client_address_is_logged_whatever_fails(nginx, replicas):
    client, before = "127.0.0.2", "127.0.0.3"  # nginx may count a request for a moment after its answer
    ask(nginx, "POST", "/api/predict/batch", bytes(10**6), before)  # goes to a temporary file
    with unfinished(nginx, "/api/predict", 1, 10**9) as bodies:
        assert refused(bodies, 1) == ["413"]
    with unfinished(nginx, "/api/predict/batch", 3, 10**7) as bodies:
        assert refused(bodies, 1) == ["429"]
    for replica in replicas:
        replica.breaks = True
    assert ask(nginx, "POST", "/api/predict", b"png", client)[0] == 502
    assert ask(nginx, "GET", "/", None, client)[0] == 502
    end = time.monotonic() + 10
    while nginx.log.read_text().count('"status":') < 8 and time.monotonic() < end:
        time.sleep(0.05)
    assert nginx.log.read_text().count('"status":502') == 2
    assert not [address for address in (client, before) if address in nginx.log.read_text()]


def guards(headers):
    return [headers.get_all(name) for name in ("X-Content-Type-Options", "Content-Security-Policy")]


def test_each_answer_says_once_what_browsers_may_do_with_it(nginx, replicas):
    own = [["nosniff"], ["default-src 'none'; frame-ancestors 'none'"]]
    for replica in replicas:
        replica.headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "its own"}
    for method, path in (("GET", "/"), ("GET", "/api/model"), ("POST", "/api/promote"), ("POST", "/gradio_api/upload")):
        assert guards(ask(nginx, method, path)[1]) == [["nosniff"], ["its own"]]
    for path in ("/metrics", "/nginx-health"):
        assert guards(ask(nginx, "GET", path)[1]) == own
    for replica in replicas:
        replica.breaks = True
    for path in ("/", "/api/promote"):
        status, headers, _ = ask(nginx, "POST", path, b"x")
        assert (status, guards(headers)) == (502, own)
