"""Accepted corrections as training data, split into those that teach and those that judge."""

from dataclasses import dataclass

import numpy as np

from experiments.data.specs import Split

MIN_CORRECTIONS = 10  # for a retraining
HELD_OUT_EVERY = 4  # every fourth judges, the others teach


class RetrainingError(RuntimeError):
    """A retraining can't be done. Worded for the operator."""


@dataclass(frozen=True, eq=False)
class Accepted:
    """All accepted corrections of a data set. `digest`: SHA-256 of images and labels, in hexadecimal."""

    data: Split
    digest: str

    def __len__(self) -> int:
        return len(self.data.labels)


def check_enough(count: int) -> None:
    """Raise RetrainingError if there are too few accepted corrections."""
    if count < MIN_CORRECTIONS:
        raise RetrainingError(
            f"A retraining needs {MIN_CORRECTIONS} accepted corrections; there are {count}. Accept more first."
        )


def hold_out(accepted: Split, seed: int) -> tuple[Split, Split]:
    """Split corrections at random, stratified by class, into those that teach and those that judge."""
    order = np.lexsort((np.random.default_rng(seed).random(len(accepted.labels)), accepted.labels))
    judging = np.zeros(len(order), bool)
    judging[order[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]] = True
    teach, judge = (Split(accepted.images[rows], accepted.labels[rows]) for rows in (~judging, judging))
    return teach, judge
