"""Marks cut where digits may touch."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from experiments.numbers.cuts import cut

SIDES = st.integers(4, 60)
MASKS = st.tuples(SIDES, SIDES).flatmap(lambda shape: arrays.arrays(np.uint8, shape, elements=st.integers(0, 1)))


@given(MASKS, st.floats(8, 80), st.integers(0, 6))
def test_every_pixel_is_in_one_piece_and_there_are_at_most_so_many_cuts(mask, height, most) -> None:
    pieces = cut(mask, height, most)
    assert pieces.shape == mask.shape
    assert pieces.dtype == np.int32
    assert pieces.min() >= 0
    assert pieces.max() <= most


@given(MASKS, st.floats(8, 80), st.integers(0, 6))
def test_pieces_are_from_left_to_right(mask, height, most) -> None:
    pieces = cut(mask, height, most)
    assert (np.diff(pieces, axis=1) >= 0).all()


def joined_bars():
    """Two upright bars, joined by a level line halfway up."""
    mask = np.zeros((60, 60), np.uint8)
    for x in (8, 52):
        cv2.line(mask, (x, 2), (x, 57), 1, 5)
    cv2.line(mask, (8, 30), (52, 30), 1, 4)
    return mask


def test_bars_that_a_line_joins_are_cut_through_the_line() -> None:
    mask = joined_bars()
    pieces = cut(mask, 56, most=3)
    left, right = pieces[30, 8], pieces[30, 52]
    assert left < right
    assert (pieces[8:52, 8] == left).all()
    assert (pieces[8:52, 52] == right).all()


def test_nothing_is_cut_where_no_cut_is_allowed() -> None:
    assert cut(joined_bars(), 56, most=0).max() == 0
