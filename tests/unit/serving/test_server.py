import asyncio
import contextlib
import http.client
import logging
import socket
import time
import urllib.error
import urllib.request
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from gradio_client import Client
from pydantic import SecretStr

from serving.page.page import appearance
from serving.server import LINK_FAILED, LaunchError, PublicLink, exposure, launch, listen, login, stop


@pytest.fixture
def with_login(settings):
    return settings.model_copy(update={"username": "ann", "password": SecretStr("secret")})


def status(address, data=None):
    try:
        with urllib.request.urlopen(address, data) as reply:
            return reply.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_a_taken_port_gives_the_next_free_one(served, classifier, settings, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port) as next_free:
            assert next_free.getsockname()[1] > port
        url = served(classifier, settings.model_copy(update={"port": port}))
    assert f"Port {port} is taken" in capsys.readouterr().out
    assert status(url) == 200


def test_an_address_of_ipv6_is_served_and_named_in_brackets(served, classifier, settings):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    url = served(classifier, settings.model_copy(update={"host": "::1"}))
    assert url.startswith("http://[::1]:")
    assert status(url) == 200


def test_closing_the_page_ends_the_streams_of_open_browsers(build, opened, classifier, settings):
    services = opened(classifier, settings)
    page = build(services)

    async def serve():  # in a loop, as conftest.in_a_loop says
        return launch(page, services, appearance())

    url = asyncio.run(serve())
    with urllib.request.urlopen(f"{url}gradio_api/heartbeat/session") as stream:
        assert b"ALIVE" in stream.readline()
        started = time.monotonic()
        page.close(verbose=False)
        assert time.monotonic() - started < 4, "it waited in vain"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url)


def test_a_program_that_thinks_for_six_seconds_keeps_its_connection(served, classifier, settings):
    with contextlib.closing(http.client.HTTPConnection(urlsplit(served(classifier, settings)).netloc)) as connection:
        for pause in (6, 0):
            connection.request("GET", "/api/health")
            with connection.getresponse() as reply:
                assert reply.status == 200
                reply.read()
            time.sleep(pause)
            assert connection.sock is not None


@pytest.mark.parametrize(
    "host", ["203.0.113.7", "no.such.host.invalid", "not a host", "a" * 70, "größe..x", "fe80::1%nope", "2001:db8::1"]
)
def test_a_host_that_is_not_this_machine_is_named(host):
    with pytest.raises(LaunchError, match=rf"{host}.*DEMO_HOST") as refused:
        listen(host, 17860)
    assert "(while" not in str(refused.value)


def test_all_of_ipv6_is_ipv4_too_and_a_client_of_it_is_named_as_such(served, classifier, settings):
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    changes = {"host": "::", "trusted_proxies": "127.0.0.1", "allowed_hosts": "digits.example"}
    url = served(classifier, settings.model_copy(update=changes))
    assert url.startswith("http://localhost:")
    port = urlsplit(url).port
    for host in ("127.0.0.1", "[::1]", "localhost"):
        assert status(f"http://{host}:{port}/") == 200


def test_a_page_that_could_not_be_launched_can_be_stopped(build, services):
    stop(build(services))


def test_no_free_port_is_told():
    with socket.create_server(("127.0.0.1", 65535)), pytest.raises(LaunchError, match="--port"):
        listen("127.0.0.1", 65535)


def test_a_login_needs_name_and_password(settings, with_login):
    assert login(settings) is None
    assert login(with_login) == ("ann", "secret")
    for half in ({"username": ""}, {"password": SecretStr("")}):
        with pytest.raises(LaunchError, match="DEMO_USERNAME and DEMO_PASSWORD"):
            login(with_login.model_copy(update=half))


def test_the_login_guards_page_and_api(served, classifier, with_login):
    url = served(classifier, with_login)
    for path in ("config", "gradio_api/info", "gradio_api/queue/data?session_hash=x"):
        assert status(url + path) == 401
    for path in ("gradio_api/call/predict", "gradio_api/upload", "gradio_api/queue/join"):
        assert status(url + path, b"{}") == 401
    client = Client(url, auth=("ann", "secret"), verbose=False)
    blank = {"background": None, "layers": [], "composite": None}
    assert client.predict(blank, api_name="/predict")[0]["confidences"] is None


def test_what_only_this_machine_reaches_is_not_called_exposed(settings):
    for host in ("127.0.0.1", "localhost", "::1"):
        assert exposure(settings.model_copy(update={"host": host})) == ""


def test_what_others_reach_is_named_with_its_guard(settings, with_login):
    everywhere = {"host": "0.0.0.0"}  # noqa: S104
    assert "0.0.0.0, without a login" in exposure(settings.model_copy(update=everywhere)).replace(")", "")
    assert "public link" in exposure(settings.model_copy(update={"share": True}))
    assert "after the login" in exposure(with_login.model_copy(update=everywhere | {"share": True}))


def test_a_visitor_who_leaves_while_sending_is_not_logged(url, caplog):
    class ClientDisconnect(Exception):  # noqa: N818 Starlette's name
        pass

    closed = RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")
    for error in (ClientDisconnect("left"), closed, ValueError("real")):
        logging.getLogger("uvicorn.error").error("Exception in ASGI application: %s", error, exc_info=error)
    assert "left" not in caplog.text
    assert "closed" not in caplog.text
    assert "real" in caplog.text


@pytest.fixture
def page():
    return SimpleNamespace(server_name="127.0.0.1", server_port=17860)


def test_the_public_link_is_printed_and_shown(page, capsys):
    link = PublicLink(lambda host, port, *_: f"https://{host}.{port}.example")
    assert link.notice == ""
    link.open(page)
    assert "https://127.0.0.1.17860.example" in link.notice
    assert link.notice in capsys.readouterr().out


def test_without_a_tunnel_the_page_says_so_and_goes_on(page, capsys):
    def fail(*arguments):
        raise RuntimeError("no internet")

    link = PublicLink(fail)
    link.open(page)
    assert link.notice == LINK_FAILED
    assert LINK_FAILED in capsys.readouterr().out
