"""The Draw tab with a real mouse, as people use it."""

import re

import pytest
from playwright.sync_api import expect

from serving.page.tabs.draw import SENTENCES
from tests.helpers.digits import DIGITS, draw_on_paper


def test_ten_digits_in_a_row_then_the_bin_icon_then_undo(draw_page):
    for digit, strokes in DIGITS.items():
        draw_page.draw(strokes)
        assert draw_page.submit() == digit
        draw_page.wait_for(lambda: is_enlarged(draw_page.preprocessed))  # its file comes after the answer
        draw_page.start_afresh("Clear canvas" if digit in "89" else "Clear")
        expect(draw_page.answer).to_have_count(0)
        expect(draw_page.preprocessed).to_have_count(0)

    draw_page.draw(DIGITS["1"])
    ink = draw_page.ink()
    draw_page.draw([[(0.2, 0.9), (0.8, 0.9)]])  # a slip of the pen
    draw_page.press("Undo")
    draw_page.wait_for(lambda: draw_page.ink() == pytest.approx(ink, rel=0.01))
    assert draw_page.submit() == "1"
    draw_page.press("Undo")
    draw_page.wait_for(lambda: draw_page.ink() == 0)
    assert draw_page.submit() == SENTENCES["blank"]


def is_enlarged(image):
    natural, width = image.evaluate("image => [image.naturalWidth, image.getBoundingClientRect().width]")
    return natural == 28 and width >= 6 * 28


def test_the_eraser_takes_ink_away(draw_page):
    line = [(0.5, 0.2), (0.5, 0.8)]
    draw_page.draw([line, [(0.25, 0.2), (0.25, 0.8)]])
    both = draw_page.ink()
    draw_page.press("Erase")
    draw_page.draw([[(0.25, 0.1), (0.25, 0.9)]])
    draw_page.wait_for(lambda: draw_page.ink() < 0.6 * both)
    assert draw_page.submit() == "1"


def test_a_blank_pad_gets_a_friendly_sentence(draw_page):
    assert draw_page.submit() == SENTENCES["blank"]
    expect(draw_page.preprocessed).to_have_count(0)
    assert draw_page.page.get_by_role("alert").count() == 0


def test_live_mode_answers_while_drawing_and_submit_stays(draw_page):
    def events():
        return sum("/gradio_api/" in address for address in draw_page.requests)

    before = events()
    draw_page.draw(DIGITS["7"])
    draw_page.page.wait_for_timeout(500)
    assert events() == before
    assert draw_page.answer.count() == 0
    draw_page.live.check()
    expect(draw_page.answer).to_have_text("7")
    draw_page.start_afresh("Clear")
    draw_page.draw(DIGITS["1"])
    expect(draw_page.answer).to_have_text("1")
    assert draw_page.submit() == "1"


def test_a_picture_is_read_like_a_drawing(draw_page, tmp_path):
    draw_page.upload(draw_on_paper(DIGITS["2"], tmp_path / "two.png"))
    expect(draw_page.answer).to_have_text("2")


def test_a_file_that_is_no_picture_gets_a_worded_error(draw_page, tmp_path):
    (tmp_path / "two.png").write_text("no picture")
    draw_page.upload(tmp_path / "two.png")
    expect(draw_page.page.get_by_test_id("toast-body")).to_contain_text("This is not a picture")


def test_the_note_names_the_model_and_the_time_it_took(draw_page):
    model = (
        r"^Answers come from Mnist_Best_Model version \d+, 9\d\.\d\d % on the MNIST test set, .*trained \d{4}-\d\d-\d\d"
    )
    expect(draw_page.note).to_have_text(re.compile(model), use_inner_text=True)
    draw_page.draw(DIGITS["1"])
    draw_page.submit()
    expect(draw_page.note).to_have_text(re.compile(r"Read in [\d.]+ ms"))


def test_nothing_overflows_on_any_screen(draw_page):
    size = draw_page.page.viewport_size
    for width in (1280, 320):
        draw_page.page.set_viewport_size({"width": width, "height": size["height"]})
        draw_page.wait_for(lambda: draw_page.ink() == 0)
        draw_page.page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")
    draw_page.page.set_viewport_size(size)
