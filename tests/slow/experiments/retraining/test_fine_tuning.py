"""A champion that sees mirror images too is fine-tuned by the network inside, at a share of the row's rate."""

import keras
import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.retraining import fine_tuning
from experiments.runs import table
from experiments.training.architectures import residual
from experiments.training.surgery import mirrored, unmirrored

SPEC = SPECS["cifar10"]
PHOTOS = Split(np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8), np.arange(10).repeat(2))


def test_the_network_inside_a_mirrored_model_is_trained_and_mirrored_again() -> None:
    champion = mirrored(residual(SPEC))
    config = fine_tuning.configuration(Dataset(SPEC, PHOTOS, PHOTOS, PHOTOS, "0" * 64), champion, seed=0)
    network = config.build(SPEC)
    expected = unmirrored(champion).predict(PHOTOS.images, verbose=0)
    assert np.allclose(network.predict(PHOTOS.images, verbose=0), expected, atol=1e-5)
    assert config.mirrored
    assert config.learning_rate < table.table("cifar10")[-1].learning_rate / 10
    assert config.extra.outlier_photos
    assert not fine_tuning.configuration(Dataset(SPEC, PHOTOS, PHOTOS, PHOTOS, "0" * 64), residual(SPEC), 0).mirrored


def linear(kernel: list[list[float]]) -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    model.set_weights([np.array(kernel)])
    return model


def test_what_the_corrections_do_not_ask_for_is_not_changed() -> None:
    corrections = Split(np.array([[0, 1]] * 1_200, np.uint8), np.ones(1_200, np.int64))
    champion, tuned = linear([[2, 0], [1, 0]]), linear([[0, 2], [0, 4]])
    near = fine_tuning._interpolate(champion, tuned, corrections)
    assert np.allclose(near.get_weights()[0], [[1.4, 0.6], [0.7, 1.2]])  # three tenths of the way: two are too few
    unlearnt = Split(corrections.images, np.zeros(1_200, np.int64))
    near = fine_tuning._interpolate(champion, linear([[0, 2], [0, 4]]), unlearnt)
    assert np.allclose(near.get_weights()[0][1], [0.9, 0.4])


@pytest.mark.parametrize(("hard", "way"), [(24, 0.3), (60, 0.6)])
def test_a_few_corrections_that_cost_most_are_let_go(hard: int, way: float) -> None:
    images = np.array([[0, 1]] * (1_200 - hard) + [[1, 0]] * hard, np.uint8)
    corrections = Split(images, np.ones(1_200, int))
    near = fine_tuning._interpolate(linear([[2, 0], [1, 0]]), linear([[0, 2], [0, 4]]), corrections)
    assert np.allclose(near.get_weights()[0][0], [2 - 2 * way, 2 * way])
