"""Augmentation: another image each time, still the same digit in the same place."""

import numpy as np

from experiments.data.specs import Split
from experiments.data.synthesis.digits import draw_digits
from experiments.training.augmentation import flip_shift_cut, warp, warp_gently, warp_strongly

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


def test_a_stronger_warp_moves_digits_further() -> None:
    warps = (warp_gently, warp, warp_strongly)
    gently, usually, strongly = (
        np.minimum(change(IMAGES, np.random.default_rng(2)), IMAGES).sum() / IMAGES.sum() for change in warps
    )
    assert gently > usually > strongly


PHOTOS = np.random.default_rng(0).integers(40, 216, (40, 32, 32, 3), np.uint8)


def test_a_photo_is_mirrored_moved_and_cut() -> None:
    first, again = (flip_shift_cut(PHOTOS, np.random.default_rng(1)) for _ in range(2))
    assert (first.shape, first.dtype) == (PHOTOS.shape, np.uint8)
    assert np.array_equal(first, again)
    hole = (first == PHOTOS.mean((0, 1, 2)).astype(np.uint8)).all(-1).sum((1, 2))
    assert 5 * 5 <= hole.min() <= hole.max() <= 12 * 12
    middle = (slice(None), slice(8, 24), slice(8, 24))
    columns = first[middle].sum((1, 3)).astype(int)  # a photo's fingerprint
    assert len(np.unique(columns, axis=0)) == len(PHOTOS)


def test_half_of_the_photos_are_mirrored() -> None:
    ramp = np.broadcast_to(np.arange(32, dtype=np.uint8)[:, None] * 4, (400, 32, 32, 3))
    changed = flip_shift_cut(ramp, np.random.default_rng(3)).astype(int)
    falling = (changed[:, :, 1:24] < changed[:, :, :23]).mean((1, 2, 3)) > 0.4
    assert 0.4 < falling.mean() < 0.6
