"""The nine metrics, against cases that can be counted by hand."""

import json

import numpy as np
import pytest

from experiments.evaluation.metrics import calibration_error, evaluate, separation

NAMES = ("a", "b", "c")
# true a a b c; the second a is taken for b with a as its second guess
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]], np.float32)
LABELS = np.array([0, 0, 1, 2])


def test_metrics_by_hand() -> None:
    report = evaluate(PROBABILITIES, LABELS, NAMES)
    assert report.accuracy == 0.75
    assert report.top2_accuracy == 1.0
    assert report.precision == pytest.approx((1 + 0.5 + 1) / 3)
    assert report.recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert report.f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert report.log_loss == pytest.approx(-np.log([0.8, 0.4, 0.8, 0.6]).mean())
    assert report.roc_auc == pytest.approx(1.0)
    assert report.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert report.per_class["b"]["precision"] == 0.5


def test_scalars_and_json_hold_all_of_it() -> None:
    report = evaluate(PROBABILITIES, LABELS, NAMES)
    scalars = report.scalars()
    assert scalars["recall_a"] == 0.5
    assert len(scalars) == 8 + 9
    assert json.loads(json.dumps(report.as_json()))["confusion"][0] == [1, 1, 0]


def test_what_is_beyond_the_classes_does_not_count() -> None:
    wider = np.concatenate([PROBABILITIES * 0.5, np.full((4, 1), 0.5, np.float32)], axis=1)
    assert evaluate(wider, LABELS, NAMES).scalars() == pytest.approx(evaluate(PROBABILITIES, LABELS, NAMES).scalars())


def test_the_calibration_error_is_the_mean_gap_between_confidence_and_truth() -> None:
    confidence, right = np.array([0.9, 0.9, 0.9, 0.9, 0.3]), np.array([True, True, True, False, False])
    assert calibration_error(confidence, right) == pytest.approx((4 * (0.9 - 0.75) + 0.3) / 5)
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0


def test_the_separation_of_digits_and_non_digits_by_hand() -> None:
    digits = np.array([0.1] * 19 + [0.6])
    assert separation(digits, np.array([0.9, 0.8])) == (1.0, 0.0)
    assert separation(digits, digits) == pytest.approx((0.5, 0.95))
    area, false_positives = separation(digits, np.array([0.05, 0.3, 0.5, 0.9]))
    assert area == pytest.approx((0 + 19 + 19 + 20) / 80)
    assert false_positives == 0.25  # one of the four, where 19 of 20 digits are kept
