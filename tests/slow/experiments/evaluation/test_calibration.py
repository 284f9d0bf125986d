"""Temperature and thresholds, on outputs whose truth is known."""

import dataclasses

import keras
import numpy as np
import pytest

from experiments.data.specs import DatasetSpec
from experiments.evaluation.calibration import (
    MAX_DOUBTED,
    MAX_REJECTED,
    MIN_DOUBTED,
    apply_temperature,
    at_temperature,
    fit_rivals,
    fit_temperature,
    fit_thresholds,
)
from experiments.evaluation.metrics import calibration_error


def spec(classes: int, has_reject_class: bool) -> DatasetSpec:
    return DatasetSpec(
        "tiny",
        (1, 1, 1),
        tuple("abc"[:classes]),
        "Tiny",
        prepare=lambda pixels: pixels,
        has_reject_class=has_reject_class,
    )


def answers(sharpness: float, count: int = 20_000, none: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Outputs whose labels are drawn from their own probabilities, then sharpened: too sure above 1."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (count, 4 if none else 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (rng.random((count, 1)) > probabilities.cumsum(1)).sum(1)
    sharp = probabilities**sharpness
    return (sharp / sharp.sum(1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize("sharpness", [0.5, 1, 2])
def test_the_temperature_undoes_over_and_underconfidence(sharpness) -> None:
    assert fit_temperature(*answers(sharpness)) == pytest.approx(sharpness, rel=0.05)


def test_a_cooled_model_gives_calibrated_probabilities() -> None:
    outputs, labels = answers(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, activation="softmax")])
    model.set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
    logits = np.log(outputs)
    before = model.predict(logits, batch_size=2000, verbose=0)
    temperature = fit_temperature(outputs, labels)
    apply_temperature(model, temperature)
    after = model.predict(logits, batch_size=2000, verbose=0)
    assert at_temperature(before, temperature) == pytest.approx(after, abs=1e-5)
    errors = [calibration_error(shown.max(1), shown.argmax(1) == labels) for shown in (before, after)]
    assert errors[1] < 0.02 < errors[0]
    assert (before.argmax(1) == after.argmax(1)).all()


def test_few_digits_are_unsure_and_fewer_refused() -> None:
    outputs, labels = answers(1, none=True)
    tiny = spec(3, has_reject_class=True)
    fitted = fit_thresholds(outputs, labels, tiny)
    real = outputs[labels < 3]
    assert (real[:, :3].max(1) < fitted.sure).mean() <= tiny.max_unsure + 1e-3
    assert (real[:, 3] > fitted.refuse).mean() <= MAX_REJECTED + 1e-3


def test_all_are_sure_where_all_are_right_and_nothing_is_refused_without_an_output_for_it() -> None:
    outputs = np.array([[0.9, 0.1], [0.3, 0.7]], np.float32)
    fitted = fit_thresholds(outputs, np.array([0, 1]), spec(2, has_reject_class=False))
    assert fitted.sure == pytest.approx(0.7)
    assert fitted.refuse == 1


def test_a_model_that_cannot_refuse_is_unsure_of_what_is_none_of_the_classes() -> None:
    right = np.array([[0.99, 0.01], [0.9, 0.1], [0.7, 0.3], [0.6, 0.4]] * 100, np.float32)
    none = np.array([[0.65, 0.35], [0.6, 0.4]] * 100, np.float32)
    lenient = dataclasses.replace(spec(2, has_reject_class=False), max_unsure=0.5)
    outputs, labels = np.concatenate([right, none]), np.repeat([0, 2], [400, 200])
    fitted = fit_thresholds(outputs, labels, lenient)
    assert fitted.sure == pytest.approx(0.7)
    assert fit_thresholds(outputs, labels, dataclasses.replace(lenient, max_unsure=0)).sure == pytest.approx(0.6)


def test_the_threshold_of_refusal_lies_between_the_last_rejected_and_the_first_kept() -> None:
    reject = np.concatenate([[0.9], [0.3], np.full(998, 0.01)])  # 0.1 % of 1,000 images is one
    outputs = np.column_stack([(1 - reject) * 0.9, (1 - reject) * 0.1, reject]).astype(np.float32)
    fitted = fit_thresholds(outputs, np.zeros(1000, int), spec(2, has_reject_class=True))
    assert fitted.refuse == pytest.approx(0.6, abs=1e-6)


def rivals_answered(misread: list[float], right: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of three classes and the reject class, all answered b; a comes second with these probabilities, where the
    label is a (misread) or b (right)."""
    second = np.array([*misread, *right], np.float32)
    nothing = np.zeros_like(second)
    outputs = np.column_stack([second, 1 - second, nothing, nothing])
    return outputs, np.repeat([0, 1], [len(misread), len(right)])


PAIR = dataclasses.replace(spec(3, has_reject_class=True), rivals=(("b", "a"),))


def test_most_of_what_is_misread_for_a_rival_becomes_unsure() -> None:
    misread = np.linspace(0.01, 0.4, 40).tolist()
    outputs, labels = rivals_answered(misread, [0.001] * 1000)
    (pair,) = fit_rivals(outputs, labels, PAIR, refuse=0.5)
    assert (pair.answer, pair.rival) == ("b", "a")
    assert (np.array(misread) > pair.above).mean() == pytest.approx(MIN_DOUBTED, abs=0.03)


def test_few_right_answers_become_unsure_for_a_rivals_sake() -> None:
    right = np.linspace(0, 0.45, 1000)
    outputs, labels = rivals_answered([0.01] * 40, right.tolist())
    (pair,) = fit_rivals(outputs, labels, PAIR, refuse=0.5)
    assert (right > pair.above).mean() <= MAX_DOUBTED + 1e-3


def test_a_pair_that_is_hardly_confused_has_no_threshold() -> None:
    assert fit_rivals(*rivals_answered([0.1] * 5, [0.001] * 100), PAIR, refuse=0.5) == ()
    assert fit_rivals(*rivals_answered([], []), PAIR, refuse=0.5) == ()
