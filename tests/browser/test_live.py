"""Answers while one draws, which the page gives unless it is set up otherwise."""

import pytest
from playwright.sync_api import expect

from tests.helpers.demo_process import DemoProcess
from tests.helpers.digits import DIGITS

REQUESTS_A_STROKE = 4
"""Three sheets and an event: the pen rests for 0.25 s before each, which makes less than 960 a minute, of the
1,200 of DEMO_RATE_LIMIT_PAGE."""


@pytest.fixture(scope="module")
def url():
    demo = DemoProcess()
    yield demo.url
    demo.stop()


@pytest.fixture
def live_page(opened_page):
    yield opened_page
    opened_page.start_afresh("Clear")


@pytest.fixture
def held(live_page):
    """Live answers that are asked for, whose requests wait to be let go."""
    requests = []

    def hold(route):
        event = route.request.post_data_json
        is_live = event["trigger_id"] == live_trigger(live_page.page)
        requests.append(route) if is_live else route.continue_()

    live_page.page.route("**/queue/join*", hold)
    yield requests
    live_page.page.unroute("**/queue/join*")


def live_trigger(page):
    """The id of the hidden button."""
    find = "gradio_config.components.find(each => each.props.elem_id === 'answer-live').id"
    return page.evaluate(find)


def posts(page):
    return page.evaluate("performance.getEntriesByType('resource').filter(e => /upload|join/.test(e.name)).length")


def test_every_stroke_is_answered_with_few_requests(live_page):
    expect(live_page.live).to_be_checked()
    before = posts(live_page.page)
    live_page.draw(DIGITS["7"])
    expect(live_page.answer).to_have_text("7")
    assert posts(live_page.page) - before == REQUESTS_A_STROKE * len(DIGITS["7"])
    assert live_page.submit() == "7"


def test_what_is_cleared_meanwhile_gets_no_answer(live_page, held):
    live_page.draw(DIGITS["7"])
    live_page.wait_for(lambda: len(held) == 1)
    live_page.press("Clear")
    live_page.wait_for(lambda: live_page.ink() == 0)
    held.pop().continue_()
    live_page.wait_for(live_page.is_answered)
    live_page.page.wait_for_timeout(300)
    assert live_page.answer.count() == 0


def test_a_late_answer_does_not_take_the_place_of_the_one_to_submit(live_page, held):
    live_page.draw(DIGITS["7"])
    live_page.wait_for(lambda: len(held) == 1)
    live_page.press("Submit")
    expect(live_page.answer).to_have_text("7")
    note = live_page.note.first.inner_text()
    held.pop().continue_()
    live_page.wait_for(live_page.is_answered)
    live_page.page.wait_for_timeout(300)
    assert live_page.note.first.inner_text() == note  # with the time that it took


def test_it_can_be_turned_off(live_page):
    live_page.live.uncheck()
    live_page.draw(DIGITS["7"])
    live_page.page.wait_for_timeout(500)
    assert live_page.answer.count() == 0
    live_page.live.check()
    expect(live_page.answer).to_have_text("7")
