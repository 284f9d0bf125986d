"""Digits drawn by the project itself."""

import numpy as np
import pytest

from experiments.data.specs import Split
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.digits import draw_digits
from experiments.data.synthesis.strokes import ink_strokes, parse, vary


def test_every_digit_has_ways_of_writing_within_its_sheet() -> None:
    assert sorted(DIGITS) == list(range(10))
    for templates in DIGITS.values():
        assert len(templates) >= 7
        for template in templates:
            points = np.concatenate(parse(template))
            assert points.min() >= -0.1
            assert points.max() <= 1.1


def test_the_same_seed_draws_the_same_digits() -> None:
    labels = Split(np.empty(0), np.arange(10))
    first, again = (draw_digits(labels, np.random.default_rng(3)) for _ in range(2))
    other = draw_digits(labels, np.random.default_rng(4))
    assert first.shape == (10, 28, 28, 1)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("digit", range(10))
def test_drawings_have_ink_like_mnist(digit: int) -> None:
    images = draw_digits(Split(np.empty(0), np.full(30, digit)), np.random.default_rng(digit))
    inked = (images > 127).sum((1, 2, 3))
    assert (inked > 15).all()
    assert (inked < 330).all()


def test_a_corner_stays_sharp_and_a_curve_smooth() -> None:
    strokes = vary(parse("0,0 100,0 100,0 100,100 / 0,50 50,50"), np.random.default_rng(0))
    assert [path.shape[1] for path in strokes] == [2, 2]
    directions = np.diff(strokes[0], axis=0)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = (directions / np.maximum(lengths, 1e-9))[lengths[:, 0] > 1e-6]
    turns = np.degrees(np.arccos(np.clip((directions[1:] * directions[:-1]).sum(1), -1, 1)))
    assert turns.max() > 45


def test_a_brush_inks_its_width() -> None:
    ink = ink_strokes([np.array([[0, 0], [0, 100.0]])], brush=20)
    assert ink.shape[1] == pytest.approx(20, abs=2)
    assert set(np.unique(ink)) <= {0.0, 1.0}
