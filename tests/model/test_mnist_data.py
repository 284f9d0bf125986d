"""The real MNIST, from the cache of this machine or downloaded."""

import hashlib

import numpy as np
import pytest

from experiments.data.datasets import Dataset, load
from settings import Settings


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    return load("mnist", Settings().data_dir)


def test_the_splits_are_those_of_the_project(mnist: Dataset) -> None:
    assert mnist.train.images.shape == (55_000, 28, 28, 1)
    assert mnist.validation.images.shape == (5_000, 28, 28, 1)
    assert mnist.test.images.shape == (10_000, 28, 28, 1)
    published = 5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949  # of the 60,000, by digit
    validation = np.bincount(mnist.validation.labels)
    assert (np.bincount(mnist.train.labels) + validation).tolist() == list(published)
    assert (np.abs(validation - np.array(published) / 12) <= 1).all()
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_the_validation_images_have_not_changed(mnist: Dataset) -> None:
    """Another choice would let models be compared on images that one of them was trained on."""
    digest = hashlib.sha256(mnist.validation.images.tobytes() + mnist.validation.labels.tobytes())
    assert digest.hexdigest() == "d41c980f4c7ac1a1ecf72de8c024ea9bf2638a3b2253f0728b1158fe1c2384c4"
    assert mnist.digest == "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681"
