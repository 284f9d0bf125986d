"""Shapes near corrections that no correction speaks of: what they are read as must not change with what is learnt."""

from collections.abc import Callable

import numpy as np

from experiments.data.datasets import join
from experiments.data.specs import Split
from experiments.inference.plausibility import DISTORTIONS, distort
from experiments.inference.predictions import Prediction

SAMPLED = 200  # corrections, at most, that are distorted
FEWEST = 10  # shapes: of fewer no interval is to be believed

Answer = Callable[[np.ndarray], list[Prediction]]
"""Predicts images uint8 [N, H, W, C]."""


def near_shapes(corrections: Split, answer: Answer, class_names: tuple[str, ...]) -> Split:
    """Distort corrected images, and keep those that the model is sure to read otherwise than the image itself and than
    the correction says, with its answers as labels. None if they are few.

    The corrections deny what the model reads in the images themselves. Nor can what has their label already be taken
    along by them; some of it may change a little with what is learnt.
    """
    sampled = slice(None, None, -(-len(corrections.labels) // SAMPLED))
    images, given = corrections.images[sampled], corrections.labels[sampled]
    spoken_of = [
        {prediction.label, class_names[label]} for prediction, label in zip(answer(images), given, strict=True)
    ]
    near = join(*(_others(distort(images, matrix), spoken_of, answer, class_names) for matrix in DISTORTIONS))
    return near if len(near.labels) >= FEWEST else Split(near.images[:0], near.labels[:0])


def _others(images: np.ndarray, spoken_of: list[set[str]], answer: Answer, class_names: tuple[str, ...]) -> Split:
    """Those of the images that are surely of a class, and of none that `spoken_of` has for them."""
    found = [
        (place, class_names.index(prediction.label))
        for place, (prediction, labels) in enumerate(zip(answer(images), spoken_of, strict=True))
        if prediction.verdict == "sure" and prediction.label not in labels
    ]
    places, labels = np.array(found, np.int64).reshape(-1, 2).T
    return Split(images[places], labels)
