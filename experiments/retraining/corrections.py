"""Accepted corrections as training data: how many it takes, which of them teach and which judge."""

from dataclasses import dataclass

import numpy as np

from experiments.data.specs import Split

MIN_CORRECTIONS = 10  # a few of which have to judge
HELD_OUT_EVERY = 4  # every fourth judges, the others teach


class RetrainingError(RuntimeError):
    """A retraining can't be done. Worded for the operator."""


@dataclass(frozen=True, eq=False)
class Accepted:
    """Corrections that were accepted. `digest`: SHA-256 of images and labels, in hexadecimal."""

    data: Split
    digest: str

    def __len__(self) -> int:
        return len(self.data.labels)


def check_enough(count: int) -> None:
    """Raises RetrainingError for fewer accepted corrections than can be learnt and judged by."""
    if count < MIN_CORRECTIONS:
        raise RetrainingError(
            f"A retraining needs {MIN_CORRECTIONS} accepted corrections; there are {count}. Accept more first."
        )


def hold_out(accepted: Split, seed: int) -> tuple[Split, Split]:
    """What teaches and what judges, by chance and of every class its share."""
    order = np.lexsort((np.random.default_rng(seed).random(len(accepted.labels)), accepted.labels))
    judging = np.zeros(len(order), bool)
    judging[order[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]] = True
    teach, judge = (Split(accepted.images[part], accepted.labels[part]) for part in (~judging, judging))
    return teach, judge
