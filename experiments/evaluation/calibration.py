"""Probabilities that mean what they say, and the thresholds of the verdicts; fitted on what no model was trained on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.inference.predictions import Thresholds

if TYPE_CHECKING:
    import keras

    from experiments.data.specs import DatasetSpec

MAX_REJECTED = 0.002  # of the images of the classes
MIN_REJECT_PROBABILITY = (
    0.85  # probability of none of the classes under which nothing is refused: people dislike it more
)


@dataclass(frozen=True, eq=False)
class Sample:
    """Raw outputs float32 [N, K or K + 1] and true labels int64 [N]; label K is none of the classes."""

    outputs: np.ndarray
    labels: np.ndarray


def fit_temperature(sample: Sample) -> float:
    """What the logits are divided by so that the log loss is least: above 1 for a model too sure of itself."""
    logits = np.log(np.maximum(sample.outputs.astype(np.float64), 1e-12))

    def loss(candidate: float) -> float:
        scaled = logits / candidate
        scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
        return -float(scaled[np.arange(len(scaled)), sample.labels].mean())

    return float(min(np.exp(np.linspace(np.log(0.2), np.log(5), 200)), key=loss))


def apply_temperature(model: "keras.Model", temperature: float) -> None:
    """Divides the logits of a model that ends in a softmax layer, in its own weights: whoever runs it gets calibrated
    probabilities and need not know."""
    last = model.layers[-1]
    last.set_weights([weights / temperature for weights in last.get_weights()])


def fit_thresholds(sample: Sample, spec: "DatasetSpec") -> Thresholds:
    """Where sure ends and refusing begins. sample: calibrated outputs; label K and above: none of the K classes, which
    a model that can't refuse had better be unsure of."""
    classes = len(spec.class_names)
    real = sample.labels < classes
    none = sample.outputs[real, classes:].sum(1)
    refuse = float(max(np.quantile(none, 1 - MAX_REJECTED), MIN_REJECT_PROBABILITY)) if spec.has_reject_class else 1.0
    answered = real if spec.has_reject_class else np.ones_like(real)
    outputs, labels = sample.outputs[answered, :classes], sample.labels[answered]
    confidence, right = outputs.max(1), outputs.argmax(1) == labels
    order = np.argsort(-confidence)
    share_right = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(share_right >= spec.min_sure_accuracy)
    sure = confidence[order[enough[-1]]] if len(enough) else 1.0
    return Thresholds(
        sure=float(min(sure, np.quantile(outputs[real[answered]].max(1), spec.max_unsure))), refuse=refuse
    )
