"""What the Draw tab says besides the digit: how sure it is, that it sees none, and why."""

from serving.page.tabs.draw import SENTENCES
from tests.helpers.digits import DIGITS

LETTER_K = [[(0.3, 0.2), (0.3, 0.8)], [(0.7, 0.2), (0.32, 0.5), (0.7, 0.8)]]


def test_a_clear_digit_is_sure_and_explained_on_demand(draw_page):
    why = draw_page.page.locator(".why img")
    draw_page.draw(DIGITS["7"])
    assert draw_page.submit() == "7"
    assert draw_page.page.locator(".block.verdict").inner_text() == "Sure."
    draw_page.press("Why this answer?")
    draw_page.wait_for(lambda: why.count() == 1)
    draw_page.start_afresh("Clear")
    draw_page.wait_for(lambda: why.count() == 0)


def test_a_letter_is_no_digit(draw_page):
    draw_page.draw(LETTER_K)
    assert draw_page.submit() == SENTENCES["rejected"]
    assert draw_page.preprocessed.count() == 1
    draw_page.start_afresh("Clear")
