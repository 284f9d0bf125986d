import asyncio
from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from serving.core.access import Access, Caller
from serving.core.client_ids import ClientIds
from serving.core.errors import Refused
from serving.core.guesses import Guesses

LOCAL = {"host": "127.0.0.1:7860"}
SHARED = {"host": "0.0.0.0"}  # noqa: S104


@pytest.fixture
def access(settings):
    def access(**changes):
        changed = settings.model_copy(update={"rate_limit_login": "10/hour"} | changes)
        return Access(changed, Guesses(changed), ClientIds(b"key of client ids"))

    return access


def identify(access, headers, user=None):
    return asyncio.run(access.identify("id", headers, "192.0.2.1", user))


@pytest.mark.parametrize("changes", [{}, SHARED, {"share": True}, {"trusted_proxies": "127.0.0.1"}])
@pytest.mark.parametrize("headers", [LOCAL, {"host": "localhost"}, {"host": "evil.example"}, {}])
def test_where_a_request_comes_from_makes_nobody_the_operator(access, changes, headers):
    rules = access(**changes)
    for forwarded in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
        caller = identify(rules, headers | {forwarded: "127.0.0.1"})
        assert caller == Caller("id", "192.0.2.1", is_operator=False)
    with pytest.raises(Refused, match="operator's") as refused:
        rules.check_operator(identify(rules, headers))
    assert (refused.value.status, refused.value.code) == (401, "operator_only")
    rules.check_operator(identify(rules, headers | {"x-api-key": rules.credentials.key.text}))


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({}, "link that the program printed"),
        ({"operator_key": SecretStr("right")}, "DEMO_OPERATOR_KEY"),
        ({"username": "ann", "password": SecretStr("secret")}, "Log in"),
    ],
)
def test_who_is_refused_is_told_where_the_key_is_and_not_the_key(access, changes, hint):
    rules = access(**changes)
    with pytest.raises(Refused) as refused:
        rules.check_operator(identify(rules, LOCAL))
    assert hint in refused.value.hint
    assert rules.credentials.key.text == "" or rules.credentials.key.text not in str(refused.value)


def test_a_login_guards_visitors_too(access):
    rules = access(username="ann", password=SecretStr("secret"))
    rules.check_visitor(identify(rules, LOCAL, user="ann"))
    with pytest.raises(Refused, match="login"):
        rules.check_visitor(identify(rules, LOCAL))
    access(**SHARED).check_visitor(Caller("id", "192.0.2.1"))


def test_a_guess_too_many_is_refused_only_where_the_operator_is_needed(access):
    rules = access(operator_key=SecretStr("right"))
    callers = [identify(rules, LOCAL | {"x-api-key": f"{number}"}) for number in range(12)]
    rules.check_visitor(callers[-1])
    with pytest.raises(Refused, match="More keys and logins came from you"):
        rules.check_operator(callers[-1])


def check(access, headers, scheme="http"):
    access.check_origin(headers, scheme)
    access.check_host(headers)


@pytest.mark.parametrize(
    ("changes", "headers", "code"),
    [
        ({}, LOCAL, None),
        ({}, LOCAL | {"origin": "http://127.0.0.1:7860"}, None),
        ({}, LOCAL | {"origin": "http://127.0.0.1:9999"}, "foreign_origin"),
        ({}, LOCAL | {"origin": "null"}, "foreign_origin"),
        ({}, {"host": "evil.example", "origin": "http://evil.example"}, "foreign_host"),
        ({}, {"host": "evil.example@127.0.0.1"}, "foreign_host"),
        ({"operator_key": SecretStr("right")}, {"host": "digits.example"}, None),
        (SHARED, {"host": "digits.example", "origin": "https://digits.example"}, None),
        (SHARED, {"host": "digits.example", "origin": "https://evil.example"}, "foreign_origin"),
        (SHARED | {"allowed_hosts": "digits.example"}, {"host": "digits.example:443"}, None),
        (SHARED | {"allowed_hosts": "digits.example"}, {"host": "evil.example"}, "foreign_host"),
        ({"cors_origins": "https://app.example"}, LOCAL | {"origin": "https://app.example"}, None),
    ],
)
def test_nothing_is_changed_for_foreign_pages(access, changes, headers, code):
    rules = access(**changes)
    if code is None:
        check(rules, headers)
    else:
        with pytest.raises(Refused) as refused:
            check(rules, headers)
        assert (refused.value.status, refused.value.code) == (403, code)


@pytest.mark.parametrize("changes", [{}, SHARED, {"trusted_proxies": "127.0.0.1"}])
@pytest.mark.parametrize("listed", ["digits.example", "other.example, https://Digits.Example.:443/", "*.example", "*"])
@pytest.mark.parametrize(
    "host",
    ["digits.example", "DIGITS.example:8443", "digits.example.", "localhost:1", "127.0.0.1", "[::1]:80", "Localhost."],
)
def test_the_hosts_that_are_listed_are_let_in_beside_this_machine(access, changes, listed, host):
    access(**changes, allowed_hosts=listed).check_host({"host": host})


def test_a_host_with_umlauts_is_listed_as_people_write_it(access):
    access(allowed_hosts="bücher.example").check_host({"host": "xn--bcher-kva.example"})


@pytest.mark.parametrize(
    "host", ["evil.example", "digits.example.evil", "xdigits.example", "example", "", "@digits.example"]
)
def test_other_hosts_are_refused_with_what_lets_them_in(access, host):
    with pytest.raises(Refused) as refused:
        access(allowed_hosts="digits.example").check_host({"host": host})
    assert "DEMO_TRUSTED_PROXIES" in refused.value.hint
    named = "" if host in ("", "@digits.example") else f"={host}"
    assert f"DEMO_ALLOWED_HOSTS{named} lets this host in" in refused.value.hint


@pytest.mark.parametrize(
    ("host", "scheme", "origin", "is_own"),
    [
        ("digits.example", "http", "http://digits.example:80", True),
        ("digits.example:80", "http", "http://digits.example", True),
        ("Digits.Example:443", "https", "HTTPS://digits.example", True),
        ("digits.example", "http", "https://digits.example", True),  # TLS ends at a proxy that is not trusted
        ("[::1]:80", "http", "http://[::1]", True),
        ("digits.example", "https", "http://digits.example", False),
        ("digits.example:443", "http", "http://digits.example", False),
        ("digits.example", "http", "http://digits.example.", False),
        ("digits.example", "http", "http://digits.example:8080", False),
        ("digits.example", "http", "http://digits.example@evil.example", False),
        ("digits.example", "http", "http://evil.example/://digits.example", False),
        ("digits.example", "http", "http://digits.example/", False),
        ("digits.example", "http", "//digits.example", False),
        ("digits.example", "http", "file://digits.example", False),
        ("", "http", "null", False),
        ("", "http", "", False),
        ("null", "http", "null", False),
    ],
)
def test_an_origin_is_the_servers_own_in_scheme_host_and_port(access, host, scheme, origin, is_own):
    with nullcontext() if is_own else pytest.raises(Refused, match="Another site"):
        check(access(**SHARED), {"host": host, "origin": origin}, scheme)


def fetch(site, mode="no-cors", dest="image"):
    return {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}


@pytest.mark.parametrize(
    ("method", "path", "headers", "is_let_in"),
    [
        ("GET", "/", {}, True),
        ("GET", "/", fetch("none", "navigate", "document"), True),
        ("POST", "/gradio_api/queue/join", fetch("same-origin", "cors", "empty"), True),
        ("GET", "/", fetch("cross-site", "navigate", "document"), True),
        ("GET", "/", fetch("cross-site", "navigate", "iframe"), True),
        ("GET", "/logout", fetch("same-origin", "navigate", "document"), True),
        ("GET", "/logout", fetch("cross-site", "navigate", "document"), False),
        ("POST", "/login", fetch("cross-site", "navigate", "document"), False),
        ("GET", "/", fetch("cross-site", "navigate", "object"), False),
        ("GET", "/api/stats", fetch("cross-site"), False),
        ("GET", "/gradio_api/token", fetch("same-site", "cors", "empty"), False),
        ("GET", "/api/stats", fetch("cross-site", "cors") | {"origin": "https://app.example"}, True),
    ],
)
def test_what_a_browser_calls_foreign_opens_pages_and_nothing_else(access, method, path, headers, is_let_in):
    rules = access(cors_origins="https://app.example")
    with nullcontext() if is_let_in else pytest.raises(Refused, match="Another site"):
        rules.check_site(method, path, LOCAL | headers)


@given(st.characters(max_codepoint=255).filter(lambda sign: sign not in "\r\n"), st.text(max_size=40))
def test_no_header_breaks_the_checks(settings, sign, text):
    changed = settings.model_copy(update={"username": "ann", "password": SecretStr("secret")})
    rules = Access(changed, Guesses(changed), ClientIds(b"key of client ids"))
    headers = dict.fromkeys(("host", "origin", "sec-fetch-site"), text + sign)
    for check in (rules.check_origin, rules.check_host, lambda sent: rules.check_site("GET", "/", sent)):
        with suppress(Refused):
            check(headers)
