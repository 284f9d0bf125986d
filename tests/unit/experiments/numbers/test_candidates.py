"""Sheets split into rows, pieces and candidates."""

import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from experiments.evaluation import drawings
from experiments.evaluation.strings.compose import of_one_writer, write_page, write_string
from experiments.numbers.candidates import split
from experiments.numbers.marked import find_marks
from experiments.preprocessing.decoding import ImageError

DIGITS = drawings.generate(60, seed=3)
SIDES = st.integers(1, 70)
CUTS = st.sampled_from(["none", "wide", "every"])
MODES = st.sampled_from([(), (1,), (3,), (4,)])
ANYTHING = st.tuples(SIDES, SIDES, MODES).flatmap(lambda sides: arrays.arrays(np.uint8, (*sides[:2], *sides[2])))


@st.composite
def strokes(draw):
    """Straight strokes anywhere on a sheet of any shape, uint8 [h, w]."""
    short, long = st.integers(1, 300), st.integers(1, 3000)
    high, wide = draw(st.one_of(st.tuples(short, long), st.tuples(long, short)))
    sheet = np.full((high, wide), 255, np.uint8)
    ends = st.tuples(st.integers(0, wide), st.integers(0, high))
    for start, end in draw(st.lists(st.tuples(ends, ends), max_size=12)):
        cv2.line(sheet, start, end, draw(st.integers(0, 200)), draw(st.integers(1, 12)))
    return sheet


def check(rows, pixels) -> None:
    high, wide = pixels.shape[:2]
    for row in rows:
        assert {candidate.first for candidate in row.candidates} <= set(range(row.pieces))
        for candidate in row.candidates:
            left, top, right, bottom = candidate.box
            assert 0 <= left < right <= wide
            assert 0 <= top < bottom <= high
            assert candidate.first <= candidate.last < row.pieces
            assert candidate.image.shape == (28, 28, 1)
            assert candidate.image.dtype == np.uint8
            assert candidate.height > 0


def has_path(row) -> bool:
    reached = {0}
    for candidate in sorted(row.candidates, key=lambda candidate: candidate.first):
        if candidate.first in reached:
            reached.add(candidate.last + 1)
    return row.pieces in reached


@given(ANYTHING, CUTS)
def test_any_array_is_split_or_refused(pixels, cuts) -> None:
    with contextlib.suppress(ImageError):
        check(split(find_marks(pixels), cuts) or [], pixels)


@given(strokes(), CUTS)
def test_any_strokes_are_split_into_boxes_within_the_picture_and_every_piece_can_be_taken(pixels, cuts) -> None:
    rows = split(find_marks(pixels), cuts) or []  # a line as long as hundreds of its heights is more than numbers
    check(rows, pixels)
    assert all(has_path(row) for row in rows)


def test_without_cuts_every_mark_is_a_digit_or_nothing_is() -> None:
    sheet = np.full((120, 200), 255, np.uint8)
    cv2.line(sheet, (40, 20), (40, 100), 0, 6)
    cv2.line(sheet, (120, 20), (120, 100), 0, 6)
    (row,) = split(find_marks(sheet), "none")
    assert [(each.first, each.last, each.whole) for each in row.candidates] == [(0, 0, True), (1, 1, True)]
    cv2.line(sheet, (80, 95), (80, 100), 0, 6)
    assert split(find_marks(sheet), "none") == []


@pytest.mark.parametrize("cuts", ["wide", "every"])
def test_spaced_digits_are_candidates_of_one_row(cuts) -> None:
    rng = np.random.default_rng(2)
    for length in (2, 3, 6):
        sheet = write_string(DIGITS, of_one_writer(DIGITS, length, rng), "spaced", rng).sheet
        (row,) = split(find_marks(sheet), cuts)
        assert row.pieces >= length
        check([row], sheet)


@pytest.mark.parametrize("slant", [0, 3])
def test_rows_of_a_page_are_found_from_above(slant) -> None:
    rng = np.random.default_rng(4)
    for _ in range(3):
        page = write_page(DIGITS, [of_one_writer(DIGITS, 5, rng) for _ in range(5)], rng, slant)
        rows = split(find_marks(page.sheet), "wide")
        assert len(rows) == 5
        tops = [np.mean([candidate.box[1] for candidate in row.candidates]) for row in rows]
        assert tops == sorted(tops)


@pytest.mark.parametrize("shape", [(40, 40), (40, 40, 1), (40, 40, 3), (40, 40, 4)])
def test_nothing_is_on_an_empty_sheet(shape) -> None:
    assert split(find_marks(np.full(shape, 255, np.uint8)), "every") == []


def test_boxes_are_in_px_of_the_picture_as_sent() -> None:
    small = np.full((100, 200), 255, np.uint8)
    for x in (40, 150):
        cv2.line(small, (x, 20), (x, 80), 0, 6)
    large = cv2.resize(small, None, fx=10, fy=10, interpolation=cv2.INTER_NEAREST)
    for pixels, scale in ((small, 1), (large, 10)):
        (row,) = split(find_marks(pixels), "wide")
        left, top, right, bottom = row.candidates[0].box
        assert (left, right) == pytest.approx((37 * scale, 44 * scale), abs=2 * scale)
        assert (top, bottom) == pytest.approx((17 * scale, 84 * scale), abs=2 * scale)


def test_a_sheet_full_of_dots_is_too_much() -> None:
    sheet = np.full((900, 900), 255, np.uint8)
    for x in range(10, 900, 20):
        for y in range(10, 900, 20):
            cv2.circle(sheet, (x, y), 5, 0, cv2.FILLED)
    assert split(find_marks(sheet), "wide") is None


def test_what_is_left_of_a_ruling_is_no_mark() -> None:
    sheet = np.full((120, 200), 255, np.uint8)
    cv2.line(sheet, (40, 20), (40, 100), 0, 6)
    cv2.line(sheet, (120, 20), (120, 100), 0, 6)
    cv2.line(sheet, (112, 106), (128, 106), 190, 2)
    (row,) = split(find_marks(sheet), "wide")
    assert (row.pieces, row.is_one_mark) == (2, False)


def test_a_row_knows_its_width_and_whether_it_is_one_mark() -> None:
    sheet = np.full((140, 300), 255, np.uint8)
    cv2.rectangle(sheet, (40, 20), (239, 119), 0, 6)
    (row,) = split(find_marks(sheet), "every")
    assert row.is_one_mark
    assert row.width == pytest.approx(2, abs=0.1)
    assert row.height == pytest.approx(106, abs=3)
