"""The real CIFAR-10, from the data folder or downloaded."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from experiments.data.datasets import Dataset, DatasetError, load
from settings import Settings


@pytest.fixture(scope="module")
def cifar10() -> Dataset:
    try:
        return load("cifar10", Settings().data_dir)
    except DatasetError as error:
        pytest.skip(f"CIFAR-10 is not in DEMO_DATA_DIR and can't be downloaded: {error}")


def test_the_splits_are_those_of_the_project(cifar10: Dataset) -> None:
    assert cifar10.train.images.shape == (45_000, 32, 32, 3)
    assert np.bincount(cifar10.validation.labels).tolist() == [500] * 10
    assert np.bincount(cifar10.test.labels).tolist() == [1_000] * 10
    assert cifar10.digest == "5b590452bb83a2bb4f66ac77898fe956c80dc8680cf2c6bbf247acb03da9a63a"


def test_the_validation_images_are_the_same_in_whatever_order_the_data_came(cifar10: Dataset, tmp_path: Path) -> None:
    """Another choice would let models be compared on images that one of them was trained on."""
    images = np.concatenate([cifar10.validation.images, cifar10.train.images])
    labels = np.concatenate([cifar10.validation.labels, cifar10.train.labels])
    test = cifar10.test
    np.savez(tmp_path / "cifar10.npz", x_train=images, y_train=labels, x_test=test.images, y_test=test.labels[:, None])
    again = load("cifar10", tmp_path)
    assert again.digest == cifar10.digest
    digest = hashlib.sha256(again.validation.images.tobytes() + again.validation.labels.tobytes()).hexdigest()
    assert (
        digest == hashlib.sha256(cifar10.validation.images.tobytes() + cifar10.validation.labels.tobytes()).hexdigest()
    )
    assert digest == "8d25b6f4b83fa17e2379feb4d7fa1860f41097bd379028d02e11767bc3d58475"
