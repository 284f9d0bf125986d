"""Examples: one click answers, and the pad stays one that can be drawn on."""

import pytest
from playwright.sync_api import expect

from serving.page.tabs import draw, photo
from tests.helpers.digits import DIGITS

NOT_A_NUMBER = draw.SENTENCES["rejected"]
ANSWERS = {
    "three.webp": ("3", "Sure."),
    "one.webp": ("1", "Sure."),
    "seven.webp": ("7", "Sure."),
    "four-or-nine.webp": ("4", "Not sure: 4 or 9?"),
    "letter.webp": (NOT_A_NUMBER, ""),
    "number.webp": ("2049", "Sure."),
    "paper.webp": ("57", "Sure."),
}
PHOTOS = {"cat.webp": "cat", "airplane.webp": "airplane", "ship.webp": "ship", "truck.webp": "truck"}


def click(draw_page, tab, words):
    draw_page.page.locator(f"{tab} .examples").get_by_role("button", name=words, exact=True).click()


def test_each_example_of_a_drawing_is_answered_by_one_click(draw_page):
    assert set(ANSWERS) == set(draw.EXAMPLES)
    for name, words in draw.EXAMPLES.items():
        label, verdict = ANSWERS[name]
        click(draw_page, "#draw", words)
        expect(draw_page.answer).to_have_text(label)
        expect(draw_page.page.locator(".block.verdict").first).to_have_text(verdict)


def test_an_example_is_on_the_pad_and_clear_takes_it_away(draw_page):
    draw_page.choose_pad(wide=True)
    for button in ("Clear", "Clear canvas", "Clear"):
        click(draw_page, "#draw", draw.EXAMPLES["seven.webp"])
        expect(draw_page.answer).to_have_text("7")
        draw_page.expect_square_pad()
        assert draw_page.ink() > 0.05
        assert draw_page.submit() == "7"
        draw_page.start_afresh(button)
        draw_page.draw(DIGITS["2"])
        assert draw_page.submit() == "2"


def test_each_example_of_a_photo_is_answered_by_one_click(draw_page):
    draw_page.open_tab("Photo")
    answer = draw_page.page.locator("#photo").get_by_test_id("label-output-value")
    for name, label in PHOTOS.items():
        click(draw_page, "#photo", photo.EXAMPLES[name])
        expect(answer).to_have_text(label)
    click(draw_page, "#photo", photo.EXAMPLES["coffee.webp"])
    expect(draw_page.page.locator("#photo .block.verdict")).to_contain_text("Not sure")
    draw_page.open_tab("Draw")


@pytest.mark.parametrize("examples", [draw.EXAMPLES, photo.EXAMPLES])
def test_no_two_examples_have_the_same_name(examples):
    assert len(set(examples.values())) == len(examples)
