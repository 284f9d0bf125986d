"""Augmentation: another image each time, still the same digit in the same place."""

import numpy as np

from experiments.augmentation import warp
from experiments.datasets import Split
from experiments.glyphs import draw_digits

IMAGES = draw_digits(Split(np.empty(0), np.arange(10).repeat(4)), np.random.default_rng(0))


def test_each_image_changes_and_the_same_seed_repeats_it() -> None:
    first, again = (warp(IMAGES, np.random.default_rng(1)) for _ in range(2))
    assert first.shape == IMAGES.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert all(not np.array_equal(a, b) for a, b in zip(first, IMAGES, strict=True))


def test_the_digit_stays_in_the_picture() -> None:
    warped = warp(IMAGES, np.random.default_rng(2))
    ratio = (warped > 60).sum((1, 2, 3)) / (IMAGES > 60).sum((1, 2, 3))
    assert (ratio > 0.4).all()
    assert (ratio < 2).all()
    overlap = np.minimum(warped, IMAGES).sum() / IMAGES.sum()
    assert overlap > 0.3
