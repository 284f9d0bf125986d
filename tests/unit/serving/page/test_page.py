import asyncio
import logging
import re
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress

import gradio as gr
import pytest
from gradio.state_holder import SessionState
from starlette.requests import Request

from serving.core.access import Caller
from serving.page.page import OPERATOR_TABS, TABS, appearance, links
from tests.helpers.page_config import component_texts


@pytest.fixture
def page(build, services):
    return build(services)


@pytest.fixture
def config(page):
    return page.get_config_file()


def test_the_page_has_a_tab_for_each_builder(config):
    names = [*TABS, *OPERATOR_TABS]
    assert [name for name in component_texts(config, "tabitem") if name in names] == names


def test_no_event_calls_the_server_twice_at_once(config):
    """The end of one answer would close the stream on the other, which then waits for whatever is asked next."""
    events = Counter(
        (target, event, dependency["trigger_after"])
        for dependency in config["dependencies"] if dependency["backend_fn"]
        for target, event in dependency["targets"]
    )  # fmt: skip
    assert len(events) > 50
    assert [event for event, count in events.items() if count > 1] == []


def test_every_control_has_a_label(config):
    unlabelled = [
        part for part in config["components"]
        if part["type"] in {"imageeditor", "label", "image", "checkbox"} and not part["props"].get("label")
    ]  # fmt: skip
    assert unlabelled == []


def test_only_links_that_are_set_are_shown(settings):
    assert links(settings) == ""
    some = settings.model_copy(
        update={"repository_url": "https://example.org/code", "video_url": "https://example.org/v"}
    )
    assert links(some) == "[Code](https://example.org/code) · [Video](https://example.org/v)"


def read(address):
    with urllib.request.urlopen(address) as reply:
        return reply.read().decode()


def test_nothing_is_requested_of_another_host(url):
    html = read(url)
    addresses = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"([^\"]+)", html)
    assert addresses
    assert [address for address in addresses if "//" in address] == []
    theme = read(f"{url}theme.css")
    assert "@import" not in theme
    assert "url(http" not in theme


def test_analytics_and_monitoring_are_off(page, url):
    assert page.analytics_enabled is False
    assert page.delete_cache
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(f"{url}monitoring/summary")
    refused.value.close()


def test_the_look_needs_no_font_from_outside():
    theme = appearance()["theme"]
    assert theme._stylesheets == []


ODD = [None, 5, "x" * 1000, [], {}, [[None]], {"a": 1}, {"path": "/etc/passwd"}, "\ud800", 10**400]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_wrong_values_are_answered_in_words_by_every_event(page, caplog, value):
    """Anyone can post any event; what the server finds wrong with it is no fault of its own."""
    state = {"caller": Caller("id", "::1", is_operator=True)}
    http = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [], "client": ("::1", 1)}
    visitor = gr.Request(Request(http | {"state": state}), session_hash="visitor")

    async def post(event):
        with suppress(gr.Error):
            await page.process_api(event, [value] * len(event.inputs), SessionState(page), visitor)

    async def post_all():
        for event in page.fns.values():
            await asyncio.create_task(post(event))  # each in a context of its own, as in Gradio's queue

    with caplog.at_level(logging.ERROR):
        asyncio.run(post_all())
    assert [record.message for record in caplog.records if record.exc_info] == []
