"""A small model's figures, made from answers that are known."""

import dataclasses
import functools

import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.insights.figures import Refusal
from experiments.insights.measuring import compute_figures
from experiments.training.progress import Epoch

SPEC = DatasetSpec(
    "dots", (8, 6, 1), ("none", "one", "many"), "Dots_Best_Model", prepare=lambda pixels: pixels, things="dots"
)
REFUSAL = Refusal(
    thresholds=(0.1, 0.375, 0.9),
    digits=(0.03, 0.02, 0.01),
    non_digits=(0.95, 0.9, 0.8),
    counts=(7_000, 2_000),
    threshold=0.375,
    area=0.9975,
    false_positive_rate=0.0125,
)
CURVES = tuple(Epoch(epoch, 1 / epoch, 0.9, 0.5 / epoch, 0.8 + epoch / 100) for epoch in range(1, 9))


def split(count, spec=SPEC, seed=0):
    """Images whose brightness tells their class."""
    labels = np.arange(count) % len(spec.class_names)
    noise = np.random.default_rng(seed).integers(0, 40, (count, *spec.image_shape))
    return Split((noise + 70 * labels[:, None, None, None]).astype(np.uint8), labels)


def dataset(spec=SPEC):
    return Dataset(spec, train=split(90, spec), validation=split(30, spec), test=split(120, spec, 1), digest="0" * 64)


def answers(labels, mistakes=()):
    """outputs float32 [N, 3]: 0.8 for the right class; mistakes: place, answer and confidence."""
    outputs = np.full((len(labels), 3), 0.1, np.float32)
    outputs[np.arange(len(labels)), labels] = 0.8
    for place, answer, confidence in mistakes:
        outputs[place] = (1 - confidence) / 2
        outputs[place, answer] = confidence
    return outputs


def figures(
    *, mistakes=((0, 1, 0.97), (3, 1, 0.6), (1, 2, 0.7)), spec=SPEC, curves=CURVES, outcome=None, sha256="a" * 64
):
    """Insights and tiles; the first image, a `none`, is answered `one` with 97 %."""
    insights, tiles = _measured(mistakes, spec, curves, outcome)
    return changed(insights, model_sha256=sha256), tiles.copy()


@functools.cache
def _measured(mistakes, spec, curves, outcome):
    """Once for all who ask the same: the map of the embedding takes long."""
    data = dataset(spec)
    outputs = answers(data.test.labels, mistakes)
    embedding = np.eye(3)[data.test.labels] + np.random.default_rng(0).normal(0, 0.05, (120, 3))
    return compute_figures(data, outputs, embedding, outcome=outcome, curves=curves, model_sha256="")


def changed(insights, **fields):
    return dataclasses.replace(insights, **fields)
