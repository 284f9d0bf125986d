"""Guesses at the operator's key and at the login, from one address and from many."""

import http.client
import time
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import pytest

from serving.core.guesses import PER_SECOND
from tests.helpers.attacked_page import OPERATOR_KEY, AttackedPage
from tests.helpers.demo_process import DemoProcess
from tests.helpers.guessers import (
    FORM,
    MANY_ADDRESSES,
    NAME,
    ONE_ADDRESS,
    PASSWORD,
    PROXY,
    Guessers,
    by_basic,
    by_form,
    by_key,
    seconds_until_in,
    send,
)

KNOWN, ELSEWHERE, ELSEWHERE_6 = "198.51.100.1", "192.0.2.9", "2001:db8:9::1"
WITHIN = 20.0  # s in which an operator is in; a machine may be slow, what it takes is shown
TRIES = 1500


@pytest.fixture(scope="module")
def page():
    page = AttackedPage(DEMO_TRUSTED_PROXIES=PROXY)
    yield page
    assert page.stop().endswith("Stopped.\nexit status 0\n")


@pytest.fixture(scope="module")
def page_with_login():
    page = DemoProcess(DEMO_TRUSTED_PROXIES=PROXY, DEMO_USERNAME=NAME, DEMO_PASSWORD=PASSWORD)
    yield page
    assert page.stop().endswith("Stopped.\nexit status 0\n")


def cookie_of(url, path, fields):
    """What a browser keeps after a form."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60, source_address=(PROXY, 0))
    request = "POST", path, urlencode(fields).encode(), {"Content-Type": FORM}
    cookies = send(connection, request, KNOWN).headers.get_all("Set-Cookie")
    connection.close()
    return {"Cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)}


@contextmanager
def guessed(url, addresses, way, tries=None):
    """Within the block they guess. Asserts that few tries are compared, whoever sends them, and that none is right."""
    with Guessers(url, addresses, way, tries) as guessers:
        yield guessers
    one_every = 2.0 if len(addresses) == 1 else 1 / PER_SECOND  # s
    assert 1 <= guessers.compared <= 1 + guessers.seconds / one_every
    assert guessers.statuses[429] > guessers.compared
    assert set(guessers.statuses) <= {400, 401, 429}


def test_who_has_the_key_comes_in_while_hundreds_of_networks_guess_it(attack):
    """Hundreds of networks guess the operator's key: ten tries a second are compared, and the operator comes in"""
    cookie = cookie_of(attack.url, "/operator", {"key": OPERATOR_KEY})
    with_cookie = ("GET", "/api/stats", None, cookie)
    assert seconds_until_in(attack.url, by_key(OPERATOR_KEY), KNOWN) < WITHIN
    with guessed(attack.url, MANY_ADDRESSES, by_key):
        time.sleep(3)
        for request, address in (
            (by_key(OPERATOR_KEY), KNOWN), (with_cookie, MANY_ADDRESSES[0]),
            (by_key(OPERATOR_KEY), ELSEWHERE), (by_key(OPERATOR_KEY), ELSEWHERE_6),
        ):  # fmt: skip
            assert seconds_until_in(attack.url, request, address) < WITHIN


def test_a_client_tries_a_key_every_other_second_and_its_operator_goes_on(attack):
    """One address guesses the operator's key: a try every other second is compared, and who was known there goes on"""
    assert seconds_until_in(attack.url, by_key(OPERATOR_KEY), ONE_ADDRESS[0]) < WITHIN
    with guessed(attack.url, ONE_ADDRESS, by_key, tries=500) as guessers:
        for _ in range(5):
            assert seconds_until_in(attack.url, by_key(OPERATOR_KEY), ONE_ADDRESS[0]) < WITHIN
        guessers.join()


@pytest.mark.parametrize("way", [by_basic, by_form])
def test_who_has_the_login_comes_in_while_hundreds_of_networks_guess_it(page_with_login, way):
    url = page_with_login.url
    cookie = cookie_of(url, "/login", {"username": NAME, "password": PASSWORD})
    assert seconds_until_in(url, by_basic(PASSWORD), KNOWN) < WITHIN
    with guessed(url, MANY_ADDRESSES, way):
        time.sleep(3)
        assert seconds_until_in(url, by_basic(PASSWORD), KNOWN) < WITHIN
        assert seconds_until_in(url, ("GET", "/api/stats", None, cookie), MANY_ADDRESSES[0]) < WITHIN
        assert seconds_until_in(url, way(PASSWORD), f"192.0.{len(way.__name__)}.9") < WITHIN


@pytest.mark.thorough
@pytest.mark.parametrize("addresses", [ONE_ADDRESS, MANY_ADDRESSES], ids=["one", "many"])
@pytest.mark.parametrize("way", [by_key, by_basic, by_form])
def test_of_many_guesses_few_are_compared(page, page_with_login, way, addresses, record_property):
    url = (page if way is by_key else page_with_login).url
    with guessed(url, addresses, way, TRIES) as guessers:
        guessers.join()
    record_property("compared", f"{guessers.compared} of {TRIES} in {guessers.seconds:.1f} s")
