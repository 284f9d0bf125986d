"""What the Draw tab says besides the digit: how sure it is, that it sees none, and why."""

from playwright.sync_api import expect

from serving.page.tabs.draw import SENTENCES
from tests.helpers.digits import DIGITS

LETTER_K = [[(0.3, 0.2), (0.3, 0.8)], [(0.7, 0.2), (0.32, 0.5), (0.7, 0.8)]]


def test_a_clear_digit_is_sure_and_explained_on_demand(draw_page):
    explanation = draw_page.page.locator(".why img")
    draw_page.draw(DIGITS["7"])
    assert draw_page.submit() == "7"
    expect(draw_page.page.locator(".block.verdict")).to_have_text("Sure.")
    draw_page.press("Why this answer?")
    expect(explanation).to_have_count(1)
    draw_page.start_afresh("Clear")
    expect(explanation).to_have_count(0)


def test_a_letter_is_no_digit(draw_page):
    draw_page.draw(LETTER_K)
    assert draw_page.submit() == SENTENCES["rejected"]
    expect(draw_page.preprocessed).to_have_count(1)
    draw_page.start_afresh("Clear")
