"""Compare two models' answers to the same images: the difference of their accuracies and its confidence interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95  # of the intervals; those of the classes are wider, so that they hold it jointly
RESAMPLES = 20_000
VALIDATION, DRAWINGS, NON_DIGITS = "validation", "generated drawings", "non-digits"
CORRECTIONS, NEAR_SHAPES = "corrections held out", "shapes near the corrections"


@dataclass(frozen=True)
class Difference:
    """Both models' accuracies, 0 to 1, on one group of images; `low` to `high` is the confidence interval of
    challenger - champion."""

    group: str
    count: int
    champion: float
    challenger: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Answers:
    """Labels and both models' answers for one group of images: int64 [N] each, the number of classes where rejected."""

    group: str
    labels: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray


def compare(groups: Sequence[Answers], class_names: tuple[str, ...]) -> tuple[Difference, ...]:
    """One row per group, then one per class over the groups that no correction can have contaminated."""
    rows = [
        difference(group.group, group.champion == group.labels, group.challenger == group.labels, CONFIDENCE)
        for group in groups
        if len(group.labels)
    ]
    clean = [group for group in groups if group.group in (VALIDATION, DRAWINGS)]
    return (*rows, *_by_class(clean, class_names))


def difference(group: str, champion: np.ndarray, challenger: np.ndarray, confidence: float) -> Difference:
    """The difference of two accuracies with its paired bootstrap interval. champion, challenger: bool [N], correct.

    Each image is gained, lost or neither, so whole resamples are drawn from a multinomial distribution.
    """
    count = len(champion)
    shares = [(challenger & ~champion).mean(), (champion & ~challenger).mean(), (champion == challenger).mean()]
    drawn = np.random.default_rng(0).multinomial(count, shares, RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / count, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Difference(group, count, float(champion.mean()), float(challenger.mean()), float(low), float(high))


def _by_class(groups: Sequence[Answers], class_names: tuple[str, ...]) -> Iterator[Difference]:
    labels = np.concatenate([group.labels for group in groups])
    champion = np.concatenate([group.champion for group in groups]) == labels
    challenger = np.concatenate([group.challenger for group in groups]) == labels
    confidence = 1 - (1 - CONFIDENCE) / len(class_names)
    for number, name in enumerate(class_names):
        own = labels == number
        if own.any():
            yield difference(f"class {name}", champion[own], challenger[own], confidence)
