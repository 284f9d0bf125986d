"""The networks: what goes in, what comes out, and what they are made of."""

import keras
import numpy as np
import pytest

from experiments import architectures
from experiments.datasets import SPECS


@pytest.mark.parametrize("build", [architectures.baseline, architectures.deep, architectures.wide])
def test_raw_images_in_probabilities_out(build) -> None:
    model = build(SPECS["mnist"])
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28, 1), dtype=np.uint8)
    probabilities = model.predict(images, verbose=0)
    assert probabilities.shape == (4, 11)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_the_baseline_has_one_convolution_and_one_dense_layer() -> None:
    kinds = [type(layer) for layer in architectures.baseline(SPECS["mnist"]).layers]
    assert kinds.count(keras.layers.Conv2D) == kinds.count(keras.layers.Dense) == 1


def test_the_deep_one_has_more_filters_and_dropout() -> None:
    layers = architectures.deep(SPECS["mnist"]).layers
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in layers) > 1
    assert any(isinstance(layer, keras.layers.Dropout) for layer in layers)
