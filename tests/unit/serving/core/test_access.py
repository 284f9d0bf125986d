import base64

import pytest
from pydantic import SecretStr

from serving.core.access import Access
from serving.core.errors import Refused

LOCAL = {"host": "127.0.0.1:7860"}
SHARED = {"host": "0.0.0.0"}  # noqa: S104


@pytest.fixture
def access(settings):
    return lambda **changes: Access(settings.model_copy(update=changes))


def is_operator(access, headers=LOCAL, user=None, key=""):
    try:
        access.check_operator(headers, user, key)
    except Refused as error:
        return error.status != 401
    return True


def test_on_an_unshared_server_anyone_at_the_machine_is_the_operator(access):
    rules = access()
    assert not rules.needs_key
    assert all(is_operator(rules, {"host": host}) for host in ("127.0.0.1:7860", "localhost", "[::1]:7860"))


def test_a_name_that_leads_to_this_machine_or_a_proxy_on_it_does_not_make_an_operator(access):
    rules = access()
    assert not any(is_operator(rules, {"host": host}) for host in ("evil.example", "", "[", "127.0.0.1.evil.example"))
    assert not any(is_operator(rules, LOCAL | {name: "x"}) for name in ("x-forwarded-for", "forwarded", "via"))


@pytest.mark.parametrize("shared", [SHARED, {"share": True}, {"trusted_proxies": "127.0.0.1"}])
def test_on_a_shared_server_nobody_is_the_operator_without_a_key(access, shared):
    rules = access(**shared)
    assert rules.needs_key
    assert not is_operator(rules)
    assert not is_operator(rules, LOCAL | {"authorization": "Bearer "})
    assert not is_operator(rules, LOCAL | {"authorization": "Basic " + base64.b64encode(b":").decode()})


def test_the_key_is_sent_in_a_header_or_typed_on_the_page(access):
    rules = access(operator_key=SecretStr("right"))
    assert is_operator(rules, LOCAL | {"authorization": "Bearer right"})
    assert is_operator(rules, LOCAL | {"x-api-key": "right"})
    assert is_operator(rules, key="right")
    for wrong in ("Right", "right ", "", "ärger"):
        assert not is_operator(rules, LOCAL | {"authorization": f"Bearer {wrong}"}, key=wrong)


def test_the_login_is_the_operators_and_guards_visitors_too(access):
    rules = access(username="ann", password=SecretStr("secret"))
    basic = {"authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
    assert is_operator(rules, LOCAL | basic)
    assert is_operator(rules, user="ann")
    assert not is_operator(rules, user="bob")
    for wrong in ("Basic YW5uOnNlY3JlVA==", "Basic ***", "Basic", ""):
        assert not is_operator(rules, LOCAL | {"authorization": wrong})
    rules.check_visitor(LOCAL | basic)
    with pytest.raises(Refused, match="login"):
        rules.check_visitor(LOCAL)
    access(**SHARED).check_visitor({"host": "digits.example"})


def check(access, headers):
    access.check_origin(headers)
    access.check_host(headers)


@pytest.mark.parametrize(
    ("changes", "headers", "code"),
    [
        ({}, LOCAL, None),
        ({}, LOCAL | {"origin": "http://127.0.0.1:7860"}, None),
        ({}, LOCAL | {"origin": "http://127.0.0.1:9999"}, "foreign_origin"),
        ({}, LOCAL | {"origin": "null"}, "foreign_origin"),
        ({}, {"host": "evil.example", "origin": "http://evil.example"}, "foreign_host"),
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
