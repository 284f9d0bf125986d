import re
import urllib.error
import urllib.request
from collections import Counter

import pytest

from serving.page.page import TABS, appearance, links
from tests.helpers.page_config import component_texts


@pytest.fixture
def page(build, services):
    return build(services)


@pytest.fixture
def config(page):
    return page.get_config_file()


def test_the_page_has_a_tab_for_each_builder(config):
    names = [name for name, _ in TABS]
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
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(f"{url}monitoring/summary")
    refused.value.close()


def test_the_look_needs_no_font_from_outside():
    theme = appearance()["theme"]
    assert theme._stylesheets == []
