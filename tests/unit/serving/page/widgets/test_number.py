"""The answer to a number, in words and pictures."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from serving.page.widgets.number import draw_boxes, number_details, number_html, number_words, side_by_side
from tests.helpers.numbers import number
from tests.helpers.pictures import encoded


def doubted(prediction, *doubts):
    """The number with an unsure digit at each place, whose candidates are given."""
    digits = list(prediction.digits)
    for place, *candidates in doubts:
        answer = replace(digits[place].answer, label=candidates[0], verdict="unsure", candidates=tuple(candidates))
        digits[place] = replace(digits[place], answer=answer)
    return replace(prediction, digits=tuple(digits), verdict="unsure")


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (number("42"), "Sure."),
        (number("42", "rejected"), ""),
        (number("42", "unsure"), "Not sure of the whole, though each digit is sure."),
        (doubted(number("42"), (1, "3", "8")), "Not sure: the 2nd digit may be 3 or 8."),
        (number("3?14", "unsure"), "Not sure: the 2nd mark is no digit."),
        (
            doubted(number("12\n345"), (0, "1", "7"), (4, "5", "6")),
            "Not sure: the 1st digit of row 1 may be 1 or 7; the 3rd digit of row 2 may be 5 or 6.",
        ),
        (
            doubted(number("1?345678901"), *[(place, "1", "7") for place in (0, 2, 10)]),
            "Not sure: the 1st digit may be 1 or 7; the 2nd mark is no digit; the 3rd digit may be 1 or 7; and 1 more.",
        ),
        (doubted(number("12345678901"), (10, "1", "7")), "Not sure: the 11th digit may be 1 or 7."),
    ],
)
def test_the_verdict_names_what_is_doubtful(prediction, words):
    assert number_words(prediction) == words


def test_details_name_each_digit():
    details = number_details(number("4?"))
    assert details["text"] == "4?"
    assert details["digits"] == [
        {"box": (0, 0, 8, 20), "label": "4", "verdict": "sure", "confidence": 0.95, "candidates": ()},
        {"box": (10, 0, 18, 20), "label": "", "verdict": "rejected", "confidence": 0.0, "candidates": ()},
    ]


def test_images_lie_side_by_side_in_rows_of_ten():
    image = number("123456789012").image
    sheet = side_by_side(image)
    assert sheet.shape == (56, 280, 1)
    assert sheet[0, ::28, 0].tolist() == list(range(1, 11))
    assert sheet[28, ::28, 0].tolist() == [11, 12] + 8 * [0]
    assert side_by_side(image[:56]).shape == (28, 56, 1)
    assert side_by_side(None) is None


@pytest.mark.parametrize(
    ("text", "length"), [("42", "large"), ("123456", "medium"), ("1\n2", "medium"), ("1" * 20, "small")]
)
def test_the_longer_a_number_the_smaller_its_text(text, length):
    assert f'class="whole-number {length}"' in number_html(number(text), b"", (0, 0))


def test_a_number_has_its_drawing_with_boxes_and_an_image_of_each_digit():
    preview = encoded(Image.new("RGB", (50, 25), "white"), "PNG")
    page = number_html(doubted(number("4?7"), (2, "7", "1")), preview, (100, 50))
    assert 'alt="The drawing with a box around each digit: 4, no digit, 7 or 1" src="data:image/webp;base64,' in page
    assert "Solid: sure. Dashed: not sure. Dotted: no digit." in page
    assert [f'<img alt="{caption}"' in page for caption in ("4", "no digit", "7 or 1")] == [True] * 3


def test_a_rejected_number_shows_its_digits_and_without_a_preview_no_boxes():
    page = number_html(number("42", "rejected"), b"", (0, 0))
    assert page.startswith('<div class="whole-number"><div class="pictures">')
    assert page.count("<img") == 2


def test_boxes_have_the_place_and_the_line_of_their_verdict():
    digits = doubted(number("4?7"), (2, "7", "1")).digits
    digits = [replace(digit, box=(100 * n + 20, 60, 100 * n + 70, 140)) for n, digit in enumerate(digits)]
    pixels = np.asarray(draw_boxes(Image.new("RGB", (640, 400), "gray"), digits, 2.0)).astype(int)
    blue, red = (pixels[280:290, :, 2] > pixels[280:290, :, 0] + 100), pixels[280:290, :, 0] > 150
    assert np.flatnonzero(blue.any(0))[[0, -1]] == pytest.approx([40, 140], abs=8)
    assert np.flatnonzero(red.any(0) & (pixels[280:290, :, 2] < 100).any(0))[[0, -1]] == pytest.approx(
        [440, 540], abs=8
    )
    bottom = pixels[283, 440:540, 0]
    assert len(set(bottom.tolist())) > 1, "a dashed line has gaps"


def test_boxes_at_the_edge_stay_on_the_picture():
    digits = [replace(digit, box=(0, 0, 20, 20)) for digit in number("42").digits]
    assert draw_boxes(Image.new("RGB", (20, 20), "white"), digits, 1.0).size == (20, 20)


def test_a_picture_of_a_preview_is_enlarged():
    preview = encoded(Image.new("RGB", (40, 20), "white"), "PNG")
    source = number_html(number("42"), preview, (400, 200)).partition("base64,")[2].partition('"')[0]
    with Image.open(io.BytesIO(base64.b64decode(source))) as picture:
        assert picture.size == (960, 480)
