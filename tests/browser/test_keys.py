"""The Draw tab by keys, and what a screen reader says of it."""

import pytest
from playwright.sync_api import expect

from serving.page.tabs.draw import SENTENCES
from tests.helpers.digits import DIGITS, digits_beside


@pytest.fixture
def key_page(opened_page):
    opened_page.live.uncheck()
    yield opened_page
    opened_page.start_afresh("Clear")


def test_the_answer_while_one_draws_is_spoken(opened_page):
    opened_page.live.check()
    opened_page.draw(DIGITS["7"])
    expect(opened_page.answer).to_have_text("7")
    expect(opened_page.page.locator("#draw-tab > [role=status]")).to_have_text("7. Sure.")
    opened_page.start_afresh("Clear")


def test_enter_submits_escape_and_delete_clear(key_page):
    keyboard = key_page.page.keyboard
    for key, digit in (("Escape", "4"), ("Delete", "2")):
        key_page.draw(DIGITS[digit])
        keyboard.press("Enter")
        expect(key_page.answer).to_have_text(digit)
        key_page.wait_for(key_page.is_answered)
        keyboard.press(key)
        expect(key_page.answer).to_have_count(0)
        key_page.wait_for(key_page.is_answered)
        key_page.wait_for(lambda: key_page.ink() == 0)
    key_page.start_afresh("Clear")  # which has the focus now
    key_page.draw(DIGITS["1"])
    keyboard.press("Enter")
    expect(key_page.answer).to_have_text("1")


def test_undo_and_redo(key_page):
    key_page.draw(DIGITS["1"])
    ink = key_page.ink()
    key_page.page.keyboard.press("Control+z")
    key_page.wait_for(lambda: key_page.ink() == 0)
    key_page.page.keyboard.press("Control+y")
    key_page.wait_for(lambda: key_page.ink() == pytest.approx(ink, rel=0.01))


def test_a_digit_corrects_a_wrong_answer(key_page):
    key_page.page.keyboard.press("8")  # without an answer there is nothing to correct
    key_page.draw(DIGITS["3"])
    assert key_page.submit() == "3"
    thanks = key_page.page.locator(".thanks:visible").first
    key_page.page.keyboard.press("Control+8")
    key_page.page.keyboard.press("8")
    expect(thanks).to_contain_text("Kept as 8")


def test_no_key_is_taken_from_a_text_field(key_page):
    key_page.draw(digits_beside("42"))
    assert key_page.submit() == "42"
    text = key_page.page.get_by_label("The right number").first
    text.press("End")
    for key in ("7", "ArrowLeft", "Delete", "Escape"):
        text.press(key)
    expect(text).to_have_value("42")
    expect(key_page.answer).to_have_text("42")


def test_keys_do_nothing_while_another_tab_is_open(key_page):
    key_page.draw(DIGITS["2"])
    key_page.open_tab("Photo")
    for key in ("Escape", "Enter"):
        key_page.page.locator("body").press(key)
    key_page.open_tab("Draw")
    assert key_page.submit() == "2"
    assert SENTENCES["blank"] not in key_page.answer.inner_text()
