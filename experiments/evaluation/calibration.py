"""Calibrate a model's probabilities and fit the thresholds of its verdicts, on data it was not trained on."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.predictions import Rival, Thresholds

if TYPE_CHECKING:
    import keras

MAX_REJECTED = 0.001  # share of the classes' images
MIN_DOUBTED = 0.75  # share of a rival's images taken for the other class that should be unsure
MAX_DOUBTED = 0.05  # share of the right answers that may be unsure for a rival's sake; takes precedence
TINY = 1e-37  # probability, float32's least
FEWEST_MISREAD = 20  # images of a rival: of fewer no threshold is to be believed


def fit_temperature(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of the logits that minimises the log loss of outputs float32 [N, K or K + 1] for labels int64 [N];
    above 1 for an overconfident model."""
    logits, rows = _logits(outputs, 1e-12), np.arange(len(outputs))

    def loss(candidate: float) -> float:
        return -float(_scaled(logits, candidate)[rows, labels].mean())

    return float(min(np.exp(np.linspace(np.log(0.2), np.log(5), 200)), key=loss))


def apply_temperature(model: "keras.Model", temperature: float) -> None:
    """Divide the logits of a model that ends in a softmax layer, in its own weights."""
    last = model.layers[-1]
    last.set_weights([weights / temperature for weights in last.get_weights()])


def at_temperature(outputs: np.ndarray, temperature: float) -> np.ndarray:
    """The outputs float32 [N, K or K + 1] of a model once the temperature is applied, from those before."""
    probabilities: np.ndarray = np.exp(_scaled(_logits(outputs, TINY), temperature)).astype(np.float32)
    return probabilities


def _logits(outputs: np.ndarray, least: float) -> np.ndarray:
    return np.log(np.maximum(outputs.astype(np.float64), least))


def _scaled(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Logarithms of the probabilities, float64 [N, K or K + 1]."""
    scaled = logits / temperature
    scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
    return scaled


def fit_thresholds(outputs: np.ndarray, labels: np.ndarray, spec: DatasetSpec) -> Thresholds:
    """Fit the thresholds on calibrated outputs. Labels of K and above are none of the K classes: a model without a
    reject class should be unsure of those images."""
    classes = len(spec.class_names)
    in_class = labels < classes
    reject = outputs[in_class, classes:].sum(1)
    # Halfway between the last image that is rejected and the first that is not: neither is met by chance.
    refuse = float(np.quantile(reject, 1 - MAX_REJECTED, method="midpoint")) if spec.has_reject_class else 1.0
    answered = in_class if spec.has_reject_class else np.ones_like(in_class)
    outputs, labels = outputs[answered, :classes], labels[answered]
    confidence, correct = outputs.max(1), outputs.argmax(1) == labels
    order = np.argsort(-confidence)
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)  # of the most confident 1, 2, ... answers
    enough = np.flatnonzero(accuracy >= spec.min_sure_accuracy)
    sure = confidence[order[enough[-1]]] if len(enough) else 1.0
    least_sure = np.quantile(outputs[in_class[answered]].max(1), spec.max_unsure)
    return Thresholds(sure=float(min(sure, least_sure)), refuse=refuse)


def fit_rivals(outputs: np.ndarray, labels: np.ndarray, spec: DatasetSpec, refuse: float) -> tuple[Rival, ...]:
    """Fit the threshold of each pair of rivals that is confused often enough to tell, on calibrated outputs."""
    fitted = []
    answered = outputs[:, len(spec.class_names) :].sum(1) <= refuse
    ranked = np.argsort(-outputs[:, : len(spec.class_names)], axis=1, kind="stable")
    for names in spec.rivals:
        answer, rival = map(spec.class_names.index, names)
        own = answered & (ranked[:, 0] == answer)
        probability = np.where(ranked[:, 1] == rival, outputs[:, rival], 0)
        misread, right = probability[own & (labels == rival)], probability[own & (labels == answer)]
        if len(misread) >= FEWEST_MISREAD and len(right):
            above = max(np.quantile(misread, 1 - MIN_DOUBTED), np.quantile(right, 1 - MAX_DOUBTED))
            fitted.append(Rival(*names, above=float(above)))
    return tuple(fitted)
