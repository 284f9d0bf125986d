"""Numbers on the Draw tab: drawn on either pad, shown digit by digit, corrected as text, and cleared."""

import pytest
from playwright.sync_api import expect

from tests.helpers.digits import DIGITS, digits_beside, draw_on_paper


@pytest.fixture
def wide_page(draw_page):
    draw_page.choose_pad(wide=True)
    yield draw_page
    draw_page.start_afresh("Clear")
    draw_page.choose_pad(wide=False)


def test_a_number_has_a_box_and_an_image_of_each_digit_and_is_corrected_as_text(draw_page):
    page = draw_page.page
    draw_page.draw(digits_beside("42"))
    assert draw_page.submit() == "42"
    boxes = page.locator(".digits .boxes img")
    expect(boxes).to_have_attribute("alt", "The drawing with a box around each digit: 4, 2")
    page.wait_for_function("document.querySelector('.digits .boxes img').naturalWidth === 960")
    expect(draw_page.digits).to_have_text(["4", "2"])
    for hidden in ("Why this answer?", "7"):
        expect(page.get_by_role("button", name=hidden, exact=True).first).to_be_hidden()
    right = page.get_by_label("The right number").first
    expect(right).to_have_value("42")
    right.fill("47")
    draw_page.press_and_wait("Send")
    expect(page.locator(".thanks").first).to_contain_text("Kept as 47")
    draw_page.start_afresh("Clear")
    expect(boxes).to_have_count(0)

    draw_page.draw(DIGITS["7"])
    assert draw_page.submit() == "7"
    expect(draw_page.digits).to_have_count(0)
    expect(draw_page.preprocessed).to_be_visible()
    expect(right).to_be_hidden()
    expect(page.get_by_role("button", name="Why this answer?")).to_be_visible()


def test_the_wide_pad_can_be_drawn_on_again_and_again(wide_page):
    for number, button in (("204", "Clear"), ("96", "Clear canvas")):
        wide_page.draw(digits_beside(number, 2.0))
        assert wide_page.submit() == number
        expect(wide_page.digits).to_have_text(list(number))
        wide_page.start_afresh(button)
        expect(wide_page.answer).to_have_count(0)
    wide_page.live.check()
    wide_page.draw(digits_beside("58", 2.0))
    expect(wide_page.answer).to_have_text("58")
    wide_page.choose_pad(wide=False)
    expect(wide_page.answer).to_have_count(0)
    wide_page.draw(DIGITS["7"])
    expect(wide_page.answer).to_have_text("7")
    wide_page.live.uncheck()


def test_a_picture_of_a_number_is_shown_with_its_boxes(draw_page, tmp_path):
    draw_page.upload(draw_on_paper(digits_beside("42"), tmp_path / "number.png"))
    expect(draw_page.answer).to_have_text("42")
    expect(draw_page.digits).to_have_text(["4", "2"])
    draw_page.start_afresh("Clear")
