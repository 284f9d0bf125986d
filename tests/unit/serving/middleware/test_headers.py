"""The headers that every answer has."""

import pytest

from serving.middleware.headers import guard_cookie
from tests.helpers.api import PNG


def policy(reply):
    entries = (entry.strip().split(" ") for entry in reply.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in entries}


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/api/health", "/api/nothing", "/assets/nothing", "/gradio_api/token", "/gradio_api/file=/x"]
)
def test_every_answer_has_them_once(api, path):
    for reply in (api().get(path), api().get(path, headers={"Origin": "https://evil.example"})):
        assert reply.headers.get_list("x-content-type-options") == ["nosniff"]
        assert reply.headers.get_list("referrer-policy") == ["same-origin"]
        assert reply.headers.get_list("cross-origin-resource-policy") == ["same-origin"]
        assert "camera=(self)" in reply.headers["permissions-policy"]
        assert "strict-transport-security" not in reply.headers
        assert len(reply.headers.get_list("content-security-policy")) == 1
        assert set(policy(reply)["default-src"]) == {"'none'"}


def test_nothing_comes_from_another_host(api):
    page = policy(api().get("/"))
    assert page["object-src"] == ["'none'"]
    assert page["base-uri"] == page["form-action"] == ["'self'"]
    elsewhere = [source for name in page if name != "frame-ancestors" for source in page[name] if "." in source]
    assert not elsewhere


@pytest.mark.parametrize(
    ("setting", "ancestors", "options"),
    [
        ("https://huggingface.co", {"'self'", "https://huggingface.co"}, None),
        ("https://a.example, http://b.example:8000", {"'self'", "https://a.example", "http://b.example:8000"}, None),
        ("self", {"'self'"}, "SAMEORIGIN"),
    ],
)
def test_a_setting_says_who_may_embed_the_page(api, opened, classifier, settings, setting, ancestors, options):
    reply = api(opened(classifier, settings.model_copy(update={"frame_ancestors": setting}))).get("/")
    assert set(policy(reply)["frame-ancestors"]) == ancestors
    assert reply.headers.get("x-frame-options") == options


@pytest.mark.parametrize("path", ["/api/predict", "/api/stats", "/metrics", "/openapi.json", "/gradio_api/file=/x.svg"])
def test_data_is_never_run(api, path):
    sources = policy(api().post(path, content=b"", headers=PNG))
    assert "script-src" not in sources
    assert sources["sandbox"] == []


def test_a_browser_that_came_over_tls_comes_so_again(api):
    assert api(base_url="https://127.0.0.1").get("/").headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "cookie",
    ["a=b; Path=/; SameSite=None; Secure; HttpOnly", "a=b; Path=/", "a=b;path=/;samesite=lax;Partitioned;secure"],
)
def test_a_cookie_is_neither_read_by_scripts_nor_sent_by_foreign_pages(cookie):
    parts = guard_cookie(cookie.encode(), is_secure=True).decode().split("; ")
    assert parts[0] == "a=b"
    assert parts[1].lower() == "path=/"
    assert parts[2:] == ["HttpOnly", "SameSite=Lax", "Secure"]
    assert b"Secure" not in guard_cookie(cookie.encode(), is_secure=False)
