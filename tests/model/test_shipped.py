"""The shipped bundles are what they say they are: sound, small, and as accurate as recorded."""

import numpy as np
import pytest

import model_loader
from experiments.data import datasets, specs
from experiments.inference import bundle
from settings import ROOT, Settings

LEAST = {"mnist": 0.9965, "cifar10": 0.92}  # accuracy on the official test images
MOST_MB = {"mnist": 8, "cifar10": 18}  # the two model files together


@pytest.fixture(scope="module", params=specs.SPECS)
def shipped(request) -> bundle.Bundle:
    return bundle.read(ROOT / "models" / request.param)


@pytest.fixture(scope="module")
def dataset(shipped) -> datasets.Dataset:
    try:
        return datasets.load(shipped.dataset, Settings().data_dir)
    except datasets.DatasetError as error:
        pytest.skip(f"{shipped.dataset} is not in DEMO_DATA_DIR and can't be downloaded: {error}")


@pytest.fixture(scope="module")
def predicted(shipped, dataset, tmp_path_factory):
    """The shipped model's answers for the official test images."""
    settings = Settings(models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    return model_loader.load(shipped.dataset, settings).predict(dataset.test.images)


def test_both_files_are_small(shipped) -> None:
    assert shipped.tflite.stat().st_size + shipped.keras.stat().st_size <= MOST_MB[shipped.dataset] * 2**20


def test_it_says_what_it_was_made_of(shipped, dataset) -> None:
    assert shipped.data_digest == dataset.digest
    assert shipped.class_names == dataset.spec.class_names


def test_it_is_as_accurate_as_recorded(shipped, dataset, predicted) -> None:
    labels = np.array([prediction.probabilities.argmax() for prediction in predicted])
    accuracy = (labels == dataset.test.labels).mean()
    assert accuracy == pytest.approx(shipped.metrics["test_accuracy"], abs=3e-4)
    assert accuracy >= LEAST[shipped.dataset]


def test_the_sure_answers_are_as_right_as_calibration_meant_them_to_be(dataset, predicted) -> None:
    sure = np.array([prediction.verdict == "sure" for prediction in predicted])
    labels = np.array([prediction.probabilities.argmax() for prediction in predicted])
    assert (labels == dataset.test.labels)[sure].mean() >= dataset.spec.min_sure_accuracy - 0.01
    assert 1 - sure.mean() <= dataset.spec.max_unsure + 0.02
