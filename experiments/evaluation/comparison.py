"""Compare two models' answers to the same images: the difference of their accuracies and its confidence interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95  # of the intervals; those of the classes are wider, so that they hold it jointly
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
    """The difference of two accuracies with its paired interval. champion, challenger: bool [N], correct.

    Only images that one of both has right count. Of the share that is gained among them this is the interval of the
    binomial mid-p test, McNemar's for few images: a bootstrap of six that are all lost takes them for certain.
    """
    count = len(champion)
    gained, lost = int((challenger & ~champion).sum()), int((champion & ~challenger).sum())
    low, high = (((gained + lost) * (2 * share - 1)) / count for share in _shares(gained, lost, (1 - confidence) / 2))
    return Difference(group, count, float(champion.mean()), float(challenger.mean()), low, high)


def _shares(gained: int, lost: int, tail: float) -> tuple[float, float]:
    """The lowest and highest share of gained among gained and lost whose mid-p value is not below `tail`."""
    if not gained and not lost:
        return 0.5, 0.5

    from scipy import optimize, stats  # takes half a second to import

    def beyond(share: float, at: int) -> float:
        binomial = stats.binom(gained + lost, share)
        return float(binomial.sf(at) + binomial.pmf(at) / 2) - tail

    low = optimize.brentq(lambda share: beyond(share, gained), 0, 1) if gained else 0.0
    high = 1 - optimize.brentq(lambda share: beyond(share, lost), 0, 1) if lost else 1.0
    return low, high


def _by_class(groups: Sequence[Answers], class_names: tuple[str, ...]) -> Iterator[Difference]:
    labels = np.concatenate([group.labels for group in groups])
    champion = np.concatenate([group.champion for group in groups]) == labels
    challenger = np.concatenate([group.challenger for group in groups]) == labels
    confidence = 1 - (1 - CONFIDENCE) / len(class_names)
    for number, name in enumerate(class_names):
        own = labels == number
        if own.any():
            yield difference(f"class {name}", champion[own], challenger[own], confidence)
