"""The card under a link to the page, its icons and its manifest."""

import asyncio
import io
import json
import re
import urllib.request
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.page.card import INTRODUCTION, TITLE, CardMiddleware, card, page_address, with_card


class Head(HTMLParser):
    """All meta tags, in order, by name or property; and the links."""

    def __init__(self, page):
        super().__init__()
        self.metas, self.links = [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "meta":
            self.metas.append((attributes.get("property") or attributes.get("name"), attributes.get("content")))
        elif tag == "link":
            self.links[attributes["rel"]] = attributes["href"]


def ask(address, **headers):
    request = urllib.request.Request(
        address, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    with urllib.request.urlopen(request) as reply:
        return reply.headers, reply.read()


def head_of(address, **headers):
    return Head(ask(address, **headers)[1].decode())


def test_a_crawler_finds_one_card_of_the_page_and_none_of_gradio(url):
    head = head_of(url)
    names = [name for name, _ in head.metas]
    metas = dict(head.metas)
    assert not {name for name in names if name and name.startswith(("og:", "twitter:")) and names.count(name) > 1}
    assert (metas["og:title"], metas["og:description"]) == (TITLE, INTRODUCTION)
    assert (metas["og:url"], metas["og:image"]) == (url, f"{url}card.png")
    assert metas["twitter:card"] == "summary_large_image"
    assert "radio" not in json.dumps([content for name, content in head.metas if name != "viewport"])


def test_the_picture_is_as_large_as_the_card_says_and_may_be_shown_elsewhere(url):
    metas = dict(head_of(url).metas)
    headers, picture = ask(metas["og:image"])
    assert Image.open(io.BytesIO(picture)).size == (int(metas["og:image:width"]), int(metas["og:image:height"]))
    assert headers["Content-Type"] == metas["og:image:type"]
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(picture) <= 60_000


def test_it_can_be_installed_wherever_it_is_mounted(url):
    links = head_of(url).links
    assert not [link for link in links.values() if link.startswith("/")]
    address = urljoin(url, links["manifest"])
    headers, text = ask(address)
    manifest = json.loads(text)
    assert headers["Content-Type"] == "application/manifest+json"
    assert (manifest["name"], manifest["display"], urljoin(address, manifest["start_url"])) == (
        TITLE,
        "standalone",
        url,
    )
    for icon in manifest["icons"]:
        side = Image.open(io.BytesIO(ask(urljoin(address, icon["src"]))[1])).size
        assert "x".join(map(str, side)) == icon["sizes"]
    assert {"any", "maskable"} == {icon["purpose"] for icon in manifest["icons"]}
    assert Image.open(io.BytesIO(ask(urljoin(url, "favicon.ico"))[1])).format == "PNG"


def test_addresses_are_those_that_the_visitor_sees(served, classifier, settings, monkeypatch):
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/digits")
    url = served(classifier, settings.model_copy(update={"allowed_hosts": "page.example"}))
    metas = dict(head_of(url, Host="page.example", X_Forwarded_Proto="https").metas)
    assert metas["og:image"] == "https://page.example/digits/card.png"
    assert ask(f"{url}digits/card.png")[0]["Content-Type"] == "image/png"
    assert head_of(f"{url}digits/").links["manifest"] == "manifest.json"


@given(st.binary(max_size=60))
def test_a_host_of_ones_own_making_stays_out_of_the_html(host):
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", host)]}
    address = page_address(scope)
    assert address == "" or re.fullmatch(r"http://[\w.:\[\]-]+/", address, re.ASCII)
    assert ("og:image" in card(address)) == bool(address)


@pytest.mark.parametrize(
    "page", [b"", b"<head></head>", b"no head", b'<head><meta property="og:title" content="x" /></head>']
)
def test_nothing_but_foreign_tags_is_lost(page):
    kept = with_card(page, "")
    assert b'content="x"' not in kept
    assert kept.replace(card("").encode(), b"") == page.replace(b'<meta property="og:title" content="x" />', b"")


def test_what_is_no_html_is_left_alone():
    sent = []

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        await send({"type": "http.response.body", "body": b"}"})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/", "scheme": "http", "headers": []}
    asyncio.run(CardMiddleware(app)(scope, None, send))
    assert (sent[0]["status"], sent[1]["body"]) == (401, b"{}")
