"""Temperature and thresholds, on outputs whose truth is known."""

import keras
import numpy as np
import pytest

from experiments.calibration import MOST_REFUSED, MOST_UNSURE, Sample, cool, temperature, thresholds
from experiments.evaluation import calibration_error


def answers(sharpness: float, count: int = 20_000, none: bool = False) -> Sample:
    """Outputs whose labels are drawn from their own probabilities, then sharpened: too sure above 1."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (count, 4 if none else 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (rng.random((count, 1)) > probabilities.cumsum(1)).sum(1)
    sharp = probabilities**sharpness
    return Sample((sharp / sharp.sum(1, keepdims=True)).astype(np.float32), labels)


@pytest.mark.parametrize("sharpness", [0.5, 1, 2])
def test_the_temperature_undoes_over_and_underconfidence(sharpness) -> None:
    assert temperature(answers(sharpness)) == pytest.approx(sharpness, rel=0.05)


def test_a_cooled_model_gives_calibrated_probabilities() -> None:
    sample = answers(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    model.set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    logits = np.log(sample.outputs)
    before = model.predict(logits, verbose=0)
    cool(model, temperature(sample))
    after = model.predict(logits, verbose=0)
    errors = [calibration_error(each.max(1), each.argmax(1) == sample.labels) for each in (before, after)]
    assert errors[1] < 0.02 < errors[0]
    assert (before.argmax(1) == after.argmax(1)).all()


def test_few_digits_are_unsure_and_fewer_refused() -> None:
    sample = answers(1, none=True)
    found = thresholds(sample, classes=3)
    real = sample.outputs[sample.labels < 3]
    assert (real[:, :3].max(1) < found.sure).mean() <= MOST_UNSURE + 1e-3
    assert (real[:, 3] > found.refuse).mean() <= MOST_REFUSED + 1e-3


def test_all_are_sure_where_all_are_right_and_nothing_is_refused_without_an_output_for_it() -> None:
    outputs = np.array([[0.9, 0.1], [0.3, 0.7]], np.float32)
    found = thresholds(Sample(outputs, np.array([0, 1])), classes=2)
    assert found.sure == pytest.approx(0.7)
    assert found.refuse == 1
