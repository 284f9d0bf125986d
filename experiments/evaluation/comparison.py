"""Two models asked the same questions: by how much they differ, and how certain that is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95  # of the intervals; those of the classes are wider, so that all of them together have it
RESAMPLES = 20_000
VALIDATION, DRAWINGS, NON_DIGITS, CORRECTIONS = "validation", "generated drawings", "non-digits", "corrections held out"
REJECTED = -1  # in place of a label: refused


@dataclass(frozen=True)
class Difference:
    """What became of one group of questions. Shares of right answers, 0 to 1; `low` to `high` is the interval of
    challenger - champion."""

    group: str
    count: int
    champion: float
    challenger: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Answers:
    """A group of questions as both models answered it. int64 [N] each, REJECTED for a refusal."""

    group: str
    labels: np.ndarray
    champion: np.ndarray
    challenger: np.ndarray


def compare(answered: list[Answers], class_names: tuple[str, ...]) -> tuple[Difference, ...]:
    """A row for each group, then one for each class over the images that no correction could have spoilt."""
    rows = [difference(each.group, *_right(each), CONFIDENCE) for each in answered if len(each.labels)]
    return (*rows, *_by_class([each for each in answered if each.group in (VALIDATION, DRAWINGS)], class_names))


def difference(group: str, champion: np.ndarray, challenger: np.ndarray, confidence: float) -> Difference:
    """champion, challenger: bool [N], whether each was right. The interval is that of the paired bootstrap: all that
    counts of a question is whether it was gained, lost or neither, so whole resamples are drawn from a multinomial."""
    count = len(champion)
    shares = [(challenger & ~champion).mean(), (champion & ~challenger).mean(), (champion == challenger).mean()]
    drawn = np.random.default_rng(0).multinomial(count, shares, RESAMPLES)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / count, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Difference(group, count, float(champion.mean()), float(challenger.mean()), float(low), float(high))


def _right(answered: Answers) -> tuple[np.ndarray, np.ndarray]:
    return answered.champion == answered.labels, answered.challenger == answered.labels


def _by_class(answered: list[Answers], class_names: tuple[str, ...]) -> Iterator[Difference]:
    labels = np.concatenate([each.labels for each in answered])
    champion, challenger = (np.concatenate(right) for right in zip(*map(_right, answered), strict=True))
    confidence = 1 - (1 - CONFIDENCE) / len(class_names)
    for number, name in enumerate(class_names):
        own = labels == number
        if own.any():
            yield difference(f"class {name}", champion[own], challenger[own], confidence)
