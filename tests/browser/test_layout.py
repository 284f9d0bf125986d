"""The Draw tab on the screens that people have: what the first minute needs is in view at once, without scrolling."""

import pytest
from playwright.sync_api import expect

from tests.helpers.digits import DIGITS, digits_beside, draw_on_paper
from tests.helpers.draw_page import open_draw_page

SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
IN_VIEW = ("#pad canvas", "#draw button.primary", "#draw .answer", "#draw .verdict")


@pytest.fixture(params=SCREENS)
def screen(request, chromium, url):
    width, height = SCREENS[request.param]
    with open_draw_page(chromium, url, viewport={"width": width, "height": height}, device_scale_factor=0.5) as page:
        yield page


def box(page, selector):
    """Left, top, right and bottom in px of the window."""
    edges = page.locator(selector).first.bounding_box()
    return edges["x"], edges["y"], edges["x"] + edges["width"], edges["y"] + edges["height"]


def assert_in_view(page, selector):
    left, top, right, bottom = box(page, selector)
    assert 0 <= left < right <= page.viewport_size["width"], selector
    assert 0 <= top < bottom <= page.viewport_size["height"], selector


def test_the_answer_to_an_example_is_in_view(screen):
    screen.page.locator("#draw .examples").get_by_role("button", name="A three", exact=True).click()
    expect(screen.answer).to_have_text("3")
    assert_in_view(screen.page, "#draw .answer h2")


def test_pad_buttons_answer_and_verdict_are_in_view_at_once(screen, tmp_path):
    page = screen.page
    screen.draw(DIGITS["7"])
    assert screen.submit() == "7"
    assert page.evaluate("scrollY") == 0
    for selector in IN_VIEW:
        assert_in_view(page, selector)
    assert box(page, "#draw .verdict")[3] - box(page, "#draw .verdict")[1] > 10  # there is something in it

    screen.upload(draw_on_paper(digits_beside("20496"), tmp_path / "number.png"))
    screen.digits.nth(4).wait_for()
    tops = [figure.bounding_box()["y"] for figure in page.locator(".digits .pictures figure").all()]
    assert tops == 5 * tops[:1]  # none of the images wraps alone
