"""The visitor's last answers, in their browser alone."""

import json
from pathlib import Path

import gradio
import pytest
from playwright.sync_api import expect

from serving.page.widgets.last_answers import MAX_KEPT
from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page

STORE = "localStorage.getItem('last-answers')"
HOSTILE = ("not encrypted", "bm90:bm90", '[{"text": "<img src=x onerror=alert(1)>"}]', "x" * 100_000)


@pytest.fixture
def page(chromium, demo):
    with open_draw_page(chromium, demo.url) as page:
        yield page


@pytest.fixture
def listed(page):
    page.page.get_by_role("button", name="My last answers").click()
    return page.page.locator("#last-answers li button")


def test_what_is_submitted_is_listed_and_shown_again_also_after_a_reload(page, listed):
    for digit in ("7", "2"):
        page.draw(DIGITS[digit])
        assert page.submit() == digit
        expect(listed.first).to_have_text(digit)
        page.start_afresh("Clear")
    expect(listed).to_have_text(["2", "7"])
    page.page.reload()
    page.wait_for(page._is_ready)
    page.page.get_by_role("button", name="My last answers").click()
    expect(listed).to_have_text(["2", "7"])
    listed.nth(1).click()
    expect(page.answer).to_have_text("7")
    page.wait_for(lambda: page.ink() > 0.05)
    assert page.submit() == "7"  # it is on the pad
    expect(listed).to_have_text(["7", "2", "7"])


def test_a_number_comes_back_on_the_wide_pad(page, listed):
    page.choose_pad(wide=True)
    page.draw([[(x / 2, y) for x, y in stroke] for stroke in DIGITS["7"]])
    page.draw([[(0.5 + x / 2, y) for x, y in stroke] for stroke in DIGITS["2"]])
    assert page.submit() == "72"
    expect(listed).to_have_text("72")
    page.start_afresh("Clear")
    page.choose_pad(wide=False)
    listed.click()
    expect(page.answer).to_have_text("72")
    expect(page.page.locator("#wide-pad")).to_be_visible()


def test_they_are_few_forgotten_with_one_click_and_blanks_are_none(page, listed):
    page.press_and_wait("Submit")
    page.draw(DIGITS["7"])
    for count in range(MAX_KEPT + 2):
        assert page.submit() == "7"
        expect(listed).to_have_count(min(count + 1, MAX_KEPT))
    page.press("Forget them")
    expect(listed).to_have_count(0)
    page.page.reload()
    page.wait_for(page._is_ready)
    expect(listed).to_have_count(0)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_whatever_is_in_the_store_the_page_goes_on(chromium, demo, hostile):
    with open_draw_page(chromium, demo.url) as page:
        page.page.evaluate(f"localStorage.setItem('last-answers', {json.dumps(hostile)})")
        page.page.reload()
        page.wait_for(page._is_ready)
        page.page.get_by_role("button", name="My last answers").click()
        page.draw(DIGITS["7"])
        assert page.submit() == "7"
        expect(page.page.locator("#last-answers li button")).to_have_text("7")


def test_without_a_store_the_page_goes_on(chromium, demo):
    with open_draw_page(chromium, demo.url) as page:
        refuse = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
        page.page.add_init_script(refuse)
        page.page.reload()
        page.wait_for(page._is_ready)
        page.draw(DIGITS["7"])
        assert page.submit() == "7"


def test_answers_are_kept_though_the_list_came_late(chromium, demo):
    """As over a slow network, where the page begins before the script of its accordions is there."""
    scripts = (Path(gradio.__file__).parent / "templates/frontend/assets").glob("Index-*.js")
    accordions, held = {script.name for script in scripts if "label-wrap" in script.read_text()}, []

    def hold(route):
        held.append(route)

    with open_draw_page(chromium, demo.url) as page:
        page.page.route(lambda address: address.rpartition("/")[2] in accordions, hold)
        page.page.reload()
        page.wait_for(lambda: page.is_answered() and page.page.locator("#pad canvas").count() > 0 and bool(held))
        assert page.page.locator("#last-answers").count() == 0
        for route in held:
            route.continue_()
        page.wait_for(page._is_ready)
        page.draw(DIGITS["7"])
        assert page.submit() == "7"
        page.page.get_by_role("button", name="My last answers").click()
        expect(page.page.locator("#last-answers li button")).to_have_text("7")
