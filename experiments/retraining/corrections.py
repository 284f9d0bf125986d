"""Accepted corrections, split into those to train on and those to evaluate on."""

from dataclasses import dataclass

import numpy as np

from experiments.data.specs import Split

MIN_CORRECTIONS = 10  # for a retraining
HELD_OUT_EVERY = 4  # every fourth is evaluated on, the others are trained on


class RetrainingError(RuntimeError):
    """A retraining can't be done. Worded for the operator."""


class UnansweredError(RetrainingError):
    """Too few corrections are left without those that the operator has to answer for first."""


@dataclass(frozen=True, eq=False)
class Accepted:
    """All accepted corrections of a data set. `digest`: SHA-256 of images and labels, in hexadecimal."""

    data: Split
    digest: str

    def __len__(self) -> int:
        return len(self.data.labels)


def check_enough(count: int, unanswered: int = 0) -> None:
    """Raise RetrainingError if there are too few accepted corrections. unanswered: more that are asked about."""
    if count < MIN_CORRECTIONS:
        more = f" {unanswered} more are not learnt before you have said whether they are right." if unanswered else ""
        raise RetrainingError(
            f"A retraining needs {MIN_CORRECTIONS} accepted corrections; there are {count}. Accept more first.{more}"
        )


def hold_out(accepted: Split, seed: int) -> tuple[Split, Split]:
    """Split corrections at random, stratified by class, into those to train on and those to evaluate on."""
    order = np.lexsort((np.random.default_rng(seed).random(len(accepted.labels)), accepted.labels))
    held_out = np.zeros(len(order), bool)
    held_out[order[HELD_OUT_EVERY // 2 :: HELD_OUT_EVERY]] = True
    training, evaluation = (Split(accepted.images[rows], accepted.labels[rows]) for rows in (~held_out, held_out))
    return training, evaluation
