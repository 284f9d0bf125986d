"""The Draw tab with a real mouse, as people use it."""

import re

import pytest

from serving.page.tabs.draw import SENTENCES
from tests.helpers.digits import DIGITS, draw_on_paper


def test_ten_digits_in_a_row_then_the_bin_icon_then_undo(draw_page):
    for digit, strokes in DIGITS.items():
        draw_page.draw(strokes)
        assert draw_page.submit() == digit
        draw_page.wait_for(lambda: seen_is_enlarged(draw_page))  # its file comes after the answer
        draw_page.start_afresh("Clear canvas" if digit in "89" else "Clear")
        assert draw_page.answer.count() == draw_page.preprocessed.count() == 0

    draw_page.draw(DIGITS["1"])
    ink = draw_page.ink()
    draw_page.draw([[(0.2, 0.9), (0.8, 0.9)]])  # a slip of the pen
    draw_page.press("Undo")
    draw_page.wait_for(lambda: draw_page.ink() == pytest.approx(ink, rel=0.01))
    assert draw_page.submit() == "1"
    draw_page.press("Undo")
    draw_page.wait_for(lambda: draw_page.ink() == 0)
    assert draw_page.submit() == SENTENCES["blank"]


def seen_is_enlarged(draw_page):
    natural, side = draw_page.preprocessed.evaluate(
        "image => [image.naturalWidth, image.getBoundingClientRect().width]"
    )
    return natural == 28 and side >= 6 * 28


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
    assert draw_page.preprocessed.count() == 0
    assert draw_page.page.get_by_role("alert").count() == 0


def test_live_mode_answers_while_drawing_and_submit_stays(draw_page):
    before = len(draw_page.requested)
    draw_page.draw(DIGITS["7"])
    draw_page.page.wait_for_timeout(500)
    assert len(draw_page.requested) == before
    assert draw_page.answer.count() == 0
    draw_page.live.check()
    draw_page.wait_for(lambda: draw_page.answer.all_inner_texts() == ["7"])
    draw_page.start_afresh("Clear")
    draw_page.draw(DIGITS["1"])
    draw_page.wait_for(lambda: draw_page.answer.all_inner_texts() == ["1"])
    assert draw_page.submit() == "1"


def test_a_picture_is_read_like_a_drawing(draw_page, tmp_path):
    draw_page.upload(draw_on_paper(DIGITS["2"], tmp_path / "two.png"))
    draw_page.wait_for(lambda: draw_page.answer.all_inner_texts() == ["2"])


def test_a_file_that_is_no_picture_gets_a_worded_error(draw_page, tmp_path):
    (tmp_path / "two.png").write_text("no picture")
    draw_page.upload(tmp_path / "two.png")
    alert = draw_page.page.get_by_test_id("toast-body")
    alert.wait_for()
    assert "This is not a picture" in alert.inner_text()


def test_the_note_names_the_model_and_the_time_it_took(draw_page):
    model = (
        r"Answers come from Mnist_Best_Model version \d+, 9\d\.\d\d % on the MNIST test set, .*trained \d{4}-\d\d-\d\d"
    )
    assert re.match(model, draw_page.note.inner_text())
    draw_page.draw(DIGITS["1"])
    draw_page.submit()
    assert re.search(r"Read in [\d.]+ ms", draw_page.note.inner_text())


def test_nothing_overflows_on_any_screen(draw_page):
    size = draw_page.page.viewport_size
    for width in (1280, 320):
        draw_page.page.set_viewport_size({"width": width, "height": size["height"]})
        draw_page.wait_for(lambda: draw_page.ink() == 0)
        assert draw_page.page.evaluate("document.documentElement.scrollWidth") <= width
    draw_page.page.set_viewport_size(size)


def test_nothing_is_asked_of_another_host(opened_page, url):
    opened_page.page.set_viewport_size({"width": 1280, "height": 900})
    opened_page.page.get_by_text("Use via API").click()
    opened_page.page.get_by_text("/predict").first.wait_for()
    assert len(opened_page.requested) > 20
    assert [address for address in opened_page.requested if not address.startswith((url, "data:", "blob:"))] == []
