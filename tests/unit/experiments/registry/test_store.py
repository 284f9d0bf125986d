import os
import socket
import time

import pytest

from experiments.registry.store import LOCAL, RegistryAwayError, TrackingStore


@pytest.fixture(autouse=True)
def proxies(monkeypatch):
    """A function that sets all of them; none is set before."""
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY")
    for name in names:
        monkeypatch.setenv(name, "")  # so that what a test adds is taken back

    def set_all(url):
        for name in names[:6]:
            monkeypatch.setenv(name, url)

    return set_all


@pytest.fixture
def silent():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_says_nothing_is_given_up(silent, tmp_path):
    started = time.monotonic()
    with pytest.raises(RegistryAwayError, match=r"it does not answer.*MLFLOW_TRACKING_URI"):
        TrackingStore(silent, tmp_path)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "http://proxy:port", "://"])
def test_a_server_on_this_machine_is_not_asked_through_a_proxy(silent, proxies, tmp_path, proxy):
    proxies(proxy)
    with pytest.raises(RegistryAwayError, match="it does not answer"):
        TrackingStore(silent, tmp_path)


@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("http://127.0.0.1:9", "the proxy does not answer that HTTP_PROXY"),
        ("socks5://127.0.0.1:9", "there is no connection to it"),
        ("http://proxy:port", "is not a valid host or port"),
    ],
)
def test_a_server_elsewhere_is_asked_through_it(proxies, tmp_path, proxy, reason):
    proxies(proxy)
    with pytest.raises(RegistryAwayError, match=reason):
        TrackingStore("http://mlflow.example", tmp_path)


def test_what_is_listed_as_without_a_proxy_stays_so(silent, monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "intranet.example,[::1]")
    for _ in range(2):
        with pytest.raises(RegistryAwayError):
            TrackingStore(silent, tmp_path)
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == ",".join(("intranet.example,[::1]", *LOCAL))


@pytest.mark.parametrize("uri", ["http://", "http://[::1", "http://host:abc", "http://a b/", "http://127.0.0.1:9"])
def test_an_address_that_leads_nowhere_is_told_in_a_line(tmp_path, uri):
    with pytest.raises(RegistryAwayError) as told:
        TrackingStore(uri, tmp_path)
    assert uri in str(told.value)
    assert "\n" not in str(told.value)
