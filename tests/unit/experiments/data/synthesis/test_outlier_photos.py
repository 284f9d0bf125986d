"""Outlier photos: all different, and trained on with equal probabilities."""

import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.data.synthesis.outlier_photos import draw_outlier_photos
from experiments.training.batches import one_hot

SPEC = SPECS["cifar10"]
LABELS = np.arange(10).repeat(12)
PHOTOS = Split(np.random.default_rng(0).integers(0, 256, (120, 32, 32, 3), np.uint8), LABELS)
DATASET = Dataset(SPEC, PHOTOS, PHOTOS, PHOTOS, digest="0" * 64)


def test_each_is_another_and_none_is_the_photo_it_was_made_of() -> None:
    images, again = (draw_outlier_photos(PHOTOS, np.random.default_rng(1)) for _ in range(2))
    assert (images.shape, images.dtype) == (PHOTOS.images.shape, np.uint8)
    assert np.array_equal(images, again)
    assert len({image.tobytes() for image in images}) == len(images)
    assert not any(np.array_equal(image, photo) for image, photo in zip(images, PHOTOS.images, strict=True))


def test_they_are_no_more_like_one_class_than_another() -> None:
    split = synthesise(Amounts(outlier_photos=40), DATASET, seed=0)
    assert split.images.shape == (40, 32, 32, 3)
    targets = one_hot(np.concatenate([[3], split.labels]), SPEC)
    assert targets[0].argmax() == 3
    assert np.allclose(targets[1:], 0.1)
