"""Three splits that share no image, hold every class in its proportion and never change."""

from pathlib import Path

import numpy as np
import pytest

from experiments.data import datasets
from experiments.data.datasets import Dataset, DatasetError, load
from experiments.data.downloads import ARCHIVES
from experiments.data.specs import SPECS, DatasetSpec

SPEC = DatasetSpec("tiny", (2, 2, 1), ("a", "b", "c"), "Tiny_Best_Model", prepare=lambda pixels: pixels)
COUNTS = (100, 60, 40)  # training images of each class


def tiny_dataset() -> Dataset:
    """200 training images, the first two pixels of each numbering it, and 3 test images."""
    labels = np.random.default_rng(7).permutation(np.repeat(np.arange(3, dtype=np.uint8), COUNTS))
    images = np.zeros((200, 2, 2), np.uint8)
    images[:, 0, 0] = np.arange(200)
    images[:, 1, 1] = labels
    arrays = {
        "x_train": images,
        "y_train": labels[:, None],  # a column, as CIFAR-10 has it
        "x_test": np.full((3, 2, 2), 9, np.uint8),
        "y_test": np.array([2, 0, 1], np.uint8),
    }
    return datasets.split(SPEC, arrays, digest="d1", validation=20)


def test_shapes_and_types() -> None:
    dataset = tiny_dataset()
    for split, count in ((dataset.train, 180), (dataset.validation, 20), (dataset.test, 3)):
        assert split.images.shape == (count, 2, 2, 1)
        assert split.images.dtype == np.uint8
        assert split.labels.shape == (count,)
        assert split.labels.dtype == np.int64
    assert dataset.test.labels.tolist() == [2, 0, 1]
    assert (dataset.test.images == 9).all()
    assert dataset.spec is SPEC
    assert dataset.digest == "d1"


def test_train_and_validation_share_nothing_and_lose_nothing() -> None:
    dataset = tiny_dataset()
    numbers = [split.images[:, 0, 0, 0].tolist() for split in (dataset.train, dataset.validation)]
    assert sorted(numbers[0] + numbers[1]) == list(range(200))


def test_every_image_keeps_its_label() -> None:
    dataset = tiny_dataset()
    for split in (dataset.train, dataset.validation):
        np.testing.assert_array_equal(split.images[:, 1, 1, 0], split.labels)


def test_validation_is_stratified() -> None:
    assert np.bincount(tiny_dataset().validation.labels).tolist() == [count // 10 for count in COUNTS]


def test_the_split_is_the_same_each_time() -> None:
    first, second = tiny_dataset(), tiny_dataset()
    np.testing.assert_array_equal(first.train.images, second.train.images)
    np.testing.assert_array_equal(first.validation.images, second.validation.images)


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no data set 'fashion'\. Choose one of: mnist"):
        load("fashion", tmp_path)


def test_every_spec_has_its_archive() -> None:
    assert SPECS.keys() == ARCHIVES.keys()
    for name, spec in SPECS.items():
        assert spec.name == name
        assert ARCHIVES[name].sources
