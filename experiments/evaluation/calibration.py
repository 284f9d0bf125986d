"""Calibrate a model's probabilities and fit the thresholds of its verdicts, on data it was not trained on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.predictions import Thresholds

if TYPE_CHECKING:
    import keras

MAX_REJECTED = 0.002  # share of the classes' images
MIN_REJECT_PROBABILITY = 0.85  # people mind a wrong rejection more than a wrong answer


@dataclass(frozen=True, eq=False)
class Sample:
    """A model's outputs float32 [N, K or K + 1] and true labels int64 [N]; label K is none of the classes."""

    outputs: np.ndarray
    labels: np.ndarray


def fit_temperature(sample: Sample) -> float:
    """The divisor of the logits that minimises the log loss; above 1 for an overconfident model."""
    logits = np.log(np.maximum(sample.outputs.astype(np.float64), 1e-12))

    def loss(candidate: float) -> float:
        scaled = logits / candidate
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return -float(scaled[np.arange(len(scaled)), sample.labels].mean())

    return float(min(np.exp(np.linspace(np.log(0.2), np.log(5), 200)), key=loss))


def apply_temperature(model: "keras.Model", temperature: float) -> None:
    """Divide the logits of a model that ends in a softmax layer, in its own weights."""
    last = model.layers[-1]
    last.set_weights([weights / temperature for weights in last.get_weights()])


def fit_thresholds(sample: Sample, spec: DatasetSpec) -> Thresholds:
    """Fit the thresholds on calibrated outputs. Labels of K and above are none of the K classes: a model without a
    reject class should be unsure of those images."""
    classes = len(spec.class_names)
    in_class = sample.labels < classes
    reject = sample.outputs[in_class, classes:].sum(1)
    refuse = float(max(np.quantile(reject, 1 - MAX_REJECTED), MIN_REJECT_PROBABILITY)) if spec.has_reject_class else 1.0
    answered = in_class if spec.has_reject_class else np.ones_like(in_class)
    outputs, labels = sample.outputs[answered, :classes], sample.labels[answered]
    confidence, correct = outputs.max(1), outputs.argmax(1) == labels
    order = np.argsort(-confidence)
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)  # of the most confident 1, 2, ... answers
    enough = np.flatnonzero(accuracy >= spec.min_sure_accuracy)
    sure = confidence[order[enough[-1]]] if len(enough) else 1.0
    least_sure = np.quantile(outputs[in_class[answered]].max(1), spec.max_unsure)
    return Thresholds(sure=float(min(sure, least_sure)), refuse=refuse)
