"""The shipped bundle is what it says it is: sound, small, and as accurate as recorded."""

import numpy as np
import pytest

import model_loader
from experiments import bundle, datasets
from settings import ROOT, Settings


@pytest.fixture(scope="module")
def shipped() -> bundle.Bundle:
    return bundle.read(ROOT / "models" / "mnist")


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """int [10000]: the shipped model's labels for the official test images; and the true ones."""
    settings = Settings(models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    test = datasets.load("mnist", settings.data_dir).test
    predictions = model_loader.load("mnist", settings).predict(test.images)
    return np.array([int(prediction.probabilities.argmax()) for prediction in predictions]), test.labels


def test_both_files_are_small(shipped) -> None:
    assert shipped.tflite.stat().st_size + shipped.keras.stat().st_size <= 8 * 2**20


def test_it_says_what_it_was_made_of(shipped) -> None:
    assert shipped.data_digest == datasets.load("mnist", Settings().data_dir).digest
    assert shipped.class_names == tuple("0123456789")


def test_it_reads_mnist_as_well_as_recorded(shipped, predicted) -> None:
    labels, truth = predicted
    assert (labels == truth).mean() == pytest.approx(shipped.metrics["test_accuracy"], abs=2e-4)
    assert (labels == truth).mean() >= 0.996
