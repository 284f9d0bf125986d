"""Network architectures: inputs, outputs and layers."""

import keras
import numpy as np
import pytest

from experiments.data.specs import SPECS
from experiments.training import architectures


@pytest.mark.parametrize(
    "build", [architectures.baseline, architectures.narrow, architectures.deep, architectures.wide]
)
def test_raw_images_in_probabilities_out(build) -> None:
    model = build(SPECS["mnist"])
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), dtype=np.uint8)
    probabilities = model.predict(images, verbose=0)
    assert probabilities.shape == (4, 11)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)


@pytest.mark.parametrize("build", [architectures.baseline, architectures.narrow_residual, architectures.residual])
def test_photos_in_probabilities_out(build) -> None:
    photos = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    probabilities = build(SPECS["cifar10"]).predict(photos, verbose=0)
    assert probabilities.shape == (4, 10)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_the_baseline_has_one_convolution_and_one_dense_layer() -> None:
    kinds = [type(layer) for layer in architectures.baseline(SPECS["mnist"]).layers]
    assert kinds.count(keras.layers.Conv2D) == kinds.count(keras.layers.Dense) == 1


@pytest.mark.parametrize(("build", "dataset"), [(architectures.deep, "mnist"), (architectures.residual, "cifar10")])
def test_the_deep_ones_have_more_filters_normalisation_and_dropout(build, dataset) -> None:
    layers = build(SPECS[dataset]).layers
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in layers) > 1
    assert any(isinstance(layer, keras.layers.Dropout) for layer in layers)
    assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
