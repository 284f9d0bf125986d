import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from serving.core import operator_key
from serving.core.client_ids import ClientIds
from serving.core.operator_key import OperatorKey


@pytest.fixture(scope="module")
def key_of(settings):
    def key_of(key="right", ids=b"key of client ids", **changes):
        changed = settings.model_copy(update={"operator_key": SecretStr(key)} | changes)
        return OperatorKey(changed, ClientIds(ids))

    return key_of


def cookie(key):
    return f"{key.cookie_name}={key.new_cookie()}"


def test_a_key_is_made_at_each_start_unless_one_is_set_or_there_is_a_login(key_of):
    made = [key_of("") for _ in range(2)]
    assert all(key.is_made and len(key.text) >= 43 for key in made)
    assert made[0].text != made[1].text
    assert (key_of("right").text, key_of("right").is_made) == ("right", False)
    login = {"username": "ann", "password": SecretStr("secret")}
    assert (key_of("", **login).text, key_of("", **login).is_made) == ("", False)


def test_a_cookie_is_taken_by_every_server_with_the_same_keys(key_of):
    first, second = key_of(), key_of()
    for cookies in (cookie(first), f"affinity=x; {cookie(first)}", f"{cookie(first)};theme=dark"):
        assert second.is_in(cookies)


def test_another_key_or_server_takes_it_not(key_of):
    first = key_of()
    for other in (key_of("another"), key_of(""), key_of(ids=b"another")):
        assert other.cookie_name != first.cookie_name
        assert not other.is_in(cookie(first))
        assert not other.is_in(f"{other.cookie_name}={first.new_cookie()}")


def test_where_there_is_no_key_no_cookie_is_taken(key_of):
    key = key_of("", username="ann", password=SecretStr("secret"))
    assert not key.is_in(cookie(key))


def test_a_cookie_ends(key_of, monkeypatch):
    key = key_of()
    old, now = cookie(key), time.time()
    monkeypatch.setattr(time, "time", lambda: now + operator_key.COOKIE_SECONDS - 5)
    assert key.is_in(old)
    monkeypatch.setattr(time, "time", lambda: now + operator_key.COOKIE_SECONDS + 5)
    assert not key.is_in(old)


@given(position=st.integers(0), sign=st.characters(max_codepoint=255))
def test_a_cookie_that_was_changed_anywhere_is_none(key_of, position, sign):
    key = key_of()
    value = key.new_cookie()
    position %= len(value) - 1  # of the last sign of Base64 some bits count for nothing
    changed = value[:position] + sign + value[position + 1 :]
    assert key.is_in(f"{key.cookie_name}={changed}") == (changed == value)


@given(st.text(st.characters(max_codepoint=255), max_size=200), st.booleans())
def test_no_header_is_a_cookie_or_breaks_it(key_of, text, is_named):
    key = key_of()
    assert not key.is_in(f"{key.cookie_name}={text}" if is_named else text)


def test_a_ticket_is_good_once_and_for_a_minute(key_of, monkeypatch):
    key = key_of()
    ticket, late = key.new_ticket(), key.new_ticket()
    assert key.redeem(ticket)
    assert not key.redeem(ticket)
    assert not key.redeem("")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + operator_key.TICKET_SECONDS + 1)
    assert not key.redeem(late)
