import asyncio
import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from serving.core.client_ids import ClientIds
from serving.core.credentials import REMEMBERED, Credentials
from serving.core.errors import Refused
from serving.core.guesses import Guesses

LOGIN = {"username": "ann", "password": SecretStr("secret")}


class Unhurried:
    """Guesses that all have their turn at once."""

    async def turn(self, client): ...

    def repeat(self, client): ...


@pytest.fixture
def credentials(settings):
    """Credentials that take a try an hour of a client; `guesses` instead of these."""

    def credentials(key="right", guesses=None, **changes):
        update = {"rate_limit_login": "1/hour", "operator_key": SecretStr(key)} | changes
        changed = settings.model_copy(update=update)
        return Credentials(changed, guesses or Guesses(changed), ClientIds(b"key of client ids"))

    return credentials


def are_operators(credentials, headers, user=None, client="192.0.2.1"):
    return asyncio.run(credentials.are_operators(headers, client, user))


def basic(text):
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_the_key_is_sent_in_a_header(credentials):
    shown = credentials(guesses=Unhurried())
    assert are_operators(shown, {"authorization": "Bearer right"})
    assert are_operators(shown, {"authorization": "bearer right"})
    assert are_operators(shown, {"x-api-key": "right"})
    for wrong in ("Right", "right ", "", "ärger", "\ud800"):
        assert not are_operators(shown, {"authorization": f"Bearer {wrong}"})
        assert not are_operators(shown, {"x-api-key": wrong})


def test_its_cookie_is_as_good(credentials):
    key = credentials().key
    cookie = {"cookie": f"{key.cookie_name}={key.new_cookie()}"}
    assert are_operators(credentials(), cookie)
    assert not are_operators(credentials("another"), cookie)


def test_nothing_is_right_where_nothing_is_set(credentials):
    shown = credentials("")
    for headers in ({}, {"x-api-key": ""}, {"authorization": "Bearer "}, basic(":"), {"cookie": "operator-x=operator"}):
        assert not are_operators(shown, headers)
    assert not are_operators(credentials("", **LOGIN), {"x-api-key": ""})


def test_the_login_is_the_operators(credentials):
    shown = credentials("", guesses=Unhurried(), **LOGIN)
    assert are_operators(shown, basic("ann:secret"))
    assert are_operators(shown, {}, user="ann")
    assert not are_operators(shown, {}, user="bob")
    assert not are_operators(credentials(), {}, user="")
    for wrong in ("Basic YW5uOnNlY3JlVA==", "Basic ***", "Basic ÿ", "Basic /w==", "Basic", ""):
        assert not are_operators(shown, {"authorization": wrong})


@pytest.mark.parametrize(
    "guess",
    [
        lambda number: {"authorization": f"Bearer {number}"},
        lambda number: {"x-api-key": f"{number}"},
        lambda number: basic(f"ann:{number}"),
    ],
)
def test_a_client_that_guesses_is_let_in_no_more_even_if_it_is_right(credentials, guess):
    shown, right = credentials(**LOGIN), {"x-api-key": "right"}
    assert are_operators(shown, right, client="192.0.2.3")
    assert not are_operators(shown, guess(0))
    for headers in (right, basic("ann:secret"), guess(1), guess(0)):
        with pytest.raises(Refused, match="More keys and logins came from you"):
            are_operators(shown, headers)
        assert are_operators(shown, right, client="192.0.2.2")
    assert are_operators(shown, {}, user="ann"), "who is logged in guesses nothing"
    assert are_operators(shown, right, client="192.0.2.3"), "who was right before guesses nothing"
    cookie = {"cookie": f"{shown.key.cookie_name}={shown.key.new_cookie()}"}
    assert are_operators(shown, cookie), "nor who has the cookie"


def test_of_secrets_compared_a_bounded_number_is_remembered(credentials):
    shown = credentials(guesses=Unhurried())

    async def guess():
        assert await shown.is_key("192.0.2.3", "right")
        for number in range(REMEMBERED + 10):
            assert not await shown.is_key("192.0.2.1", f"{number}")

    asyncio.run(guess())
    assert [len(shown._compared[is_right]) for is_right in (False, True)] == [REMEMBERED, 1]


def test_a_key_that_many_requests_bring_at_once_takes_one_turn(credentials):
    shown = credentials()

    async def ask():
        return await asyncio.gather(*(shown.is_key("192.0.2.1", "right") for _ in range(20)))

    assert asyncio.run(ask()) == [True] * 20


@given(st.text(st.characters(max_codepoint=255), max_size=40), st.sampled_from(["Basic ", "Bearer ", ""]))
def test_no_header_makes_an_operator_or_breaks_it(settings, text, kind):
    changed = settings.model_copy(update=LOGIN | {"operator_key": SecretStr("right")})
    shown = Credentials(changed, Unhurried(), ClientIds(b"key of client ids"))
    for headers in ({"authorization": kind + text}, {"x-api-key": text}, {"cookie": text}):
        assert not are_operators(shown, headers)
