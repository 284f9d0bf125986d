"""The fused layer is Keras's layer, only faster."""

import keras
import numpy as np
import pytest

from experiments.training.batch_norm import FusedBatchNormalization, batch_normalisation

IMAGES = np.random.default_rng(0).normal(1, 2, (16, 6, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("training", [True, False])
def test_it_gives_what_keras_gives_and_learns_the_same_statistics(training) -> None:
    ours, theirs = FusedBatchNormalization(autocast=False), keras.layers.BatchNormalization()
    results = [np.asarray(layer(IMAGES, training=training)) for layer in (ours, theirs)]
    np.testing.assert_allclose(*results, atol=1e-3)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0.01, atol=1e-4)


def test_a_model_to_keep_has_layers_of_keras_alone() -> None:
    image = keras.Input((6, 6, 3))
    kept = keras.Model(image, batch_normalisation(image))
    assert [type(layer) for layer in kept.layers[1:]] == [keras.layers.BatchNormalization]
