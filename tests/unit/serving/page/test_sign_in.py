"""/operator, asked as a browser asks it."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.testclient import TestClient

from serving.server import build_app
from tests.helpers.api import assert_refused

KEY = "right & proper"
QUICK = {"operator_key": SecretStr(KEY), "rate_limit_login": "60000/minute"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def keyed(opened, classifier, settings):
    return opened(classifier, settings.model_copy(update=QUICK))


@pytest.fixture
def browser(api, keyed):
    """Follows no redirection, and keeps no cookie of another test."""
    client = api(keyed)
    client.follow_redirects = False
    return client


def is_operator(client):
    return client.get("/api/stats").status_code == 200


@pytest.mark.parametrize("how", ["link", "form"])
def test_the_key_is_exchanged_for_a_cookie(browser, how):
    assert not is_operator(browser)
    if how == "link":
        reply = browser.get("/operator", params={"key": KEY})
    else:
        reply = browser.post("/operator", data={"key": KEY})
    assert (reply.status_code, reply.headers["location"], reply.text) == (
        303,
        "./",
        "",
    )
    cookie = reply.headers["set-cookie"]
    assert cookie.endswith("; HttpOnly; SameSite=Lax")
    assert KEY not in cookie
    assert is_operator(browser)


def test_the_cookie_is_for_tls_alone_where_it_is_used(api, keyed):
    client = api(keyed, "https://127.0.0.1:7860")
    cookie = client.get("/operator", params={"key": KEY}, follow_redirects=False).headers["set-cookie"]
    assert cookie.endswith("; Secure")


def test_a_ticket_is_exchanged_once(browser, keyed):
    ticket = {"ticket": keyed.access.credentials.key.new_ticket()}
    assert browser.get("/operator", params=ticket).status_code == 303
    assert is_operator(browser)
    again = browser.get("/operator", params=ticket)
    assert again.status_code == 401
    assert "used already" in again.text


def test_the_form_is_shown_without_a_key_and_after_a_wrong_one(browser):
    shown = browser.get("/operator")
    wrong = browser.get("/operator", params={"key": "<wrong>"}), browser.post("/operator", data={"key": "<as wrong>"})
    for reply, status in ((shown, 200), *((reply, 401) for reply in wrong)):
        assert reply.status_code == status
        assert '<label for="key">' in reply.text
        assert "wrong>" not in reply.text
        assert "set-cookie" not in reply.headers
        assert reply.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert not is_operator(browser)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_it_takes_no_other_method(browser, method):
    assert browser.request(method, "/operator", params={"key": KEY}).status_code == 405
    assert not is_operator(browser)


def test_a_foreign_page_signs_nobody_in(browser):
    reply = browser.post("/operator", data={"key": KEY}, headers={"Origin": "https://evil.example"})
    assert_refused(reply, 403, "foreign_origin")
    reply = browser.post("/operator", data={"key": KEY}, headers={"Sec-Fetch-Site": "cross-site"})
    assert_refused(reply, 403, "foreign_origin")


def test_where_there_is_a_login_alone_it_says_so(api, opened, classifier, settings):
    login = {"username": "ann", "password": SecretStr("secret")}
    client = api(opened(classifier, settings.model_copy(update=login)))
    for reply in (client.get("/operator"), client.get("/operator?key="), client.post("/operator", data={"key": ""})):
        assert "whoever logs in" in reply.text
        assert "<form" not in reply.text
        assert "set-cookie" not in reply.headers


def test_who_guesses_too_often_is_told_so_in_words(api, opened, classifier, settings):
    changes = {"operator_key": SecretStr(KEY), "rate_limit_login": "2/hour"}
    client = api(opened(classifier, settings.model_copy(update=changes)))
    replies = [client.post("/operator", data={"key": f"{number}"}) for number in range(3)]
    assert (replies[0].status_code, replies[-1].status_code) == (401, 429)
    assert "Try again" in replies[-1].text
    assert '<label for="key">' in replies[-1].text
    assert int(replies[-1].headers["retry-after"]) > 0


@pytest.fixture(scope="module")
def unlimited(opened, classifier, settings):
    changed = settings.model_copy(update={"operator_key": SecretStr(KEY), "rate_limit": "off"})
    with TestClient(build_app(opened(classifier, changed)), "http://127.0.0.1:7860") as client:
        yield client


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=100), st.sampled_from(["key=", "key=%", "", "a=b&key=", "ticket="]))
def test_nothing_else_is_a_key(unlimited, content, prefix):
    body = prefix.encode() + content
    reply = unlimited.post("/operator", content=body, headers=FORM, follow_redirects=False)
    assert reply.status_code == 401
    query = {"key": content.decode("latin-1")}
    assert unlimited.get("/operator", params=query, follow_redirects=False).status_code == 401
