"""Choose the most probable digits among the candidates of a row: the best path through its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import SMALL, Candidate, Row

CUT = np.log(0.3)  # prior of a candidate that takes a part of a mark
OTHER = np.log(0.02)  # prior of a mark that is no digit
LOW = np.log(0.02)  # prior of a digit of less than SMALL of the others' height
FLOOR = 1e-6  # probability below which none is taken for


@dataclass(frozen=True, eq=False)
class Step:
    """One candidate of a path: its position among the row's, and whether it is a digit."""

    candidate: int
    is_digit: bool


@dataclass(frozen=True, eq=False)
class Path:
    """The best path of a row, and its share of the probability of all."""

    steps: Sequence[Step]
    share: float


def best_path(row: Row, answers: Sequence[Prediction]) -> Path:
    """The best path, given the answers to the candidates."""
    best = np.full(row.pieces + 1, -np.inf)
    total = np.full(row.pieces + 1, -np.inf)
    best[0] = total[0] = 0.0
    back: list[tuple[int, Step] | None] = [None] * (row.pieces + 1)
    for number, candidate in sorted(enumerate(row.candidates), key=lambda numbered: numbered[1].first):
        start, end = candidate.first, candidate.last + 1
        if not np.isfinite(best[start]):
            continue
        digit, other = _scores(candidate, answers[number])
        for score, is_digit in ((digit, True), (other, False)):
            total[end] = np.logaddexp(total[end], total[start] + score)
            if best[start] + score > best[end]:
                best[end], back[end] = best[start] + score, (start, Step(number, is_digit))
    steps, end = list[Step](), row.pieces
    while end and (link := back[end]):
        end, step = link
        steps.append(step)
    return Path(steps[::-1], float(np.exp(best[-1] - total[-1])) if not end else 0.0)


def _scores(candidate: Candidate, answer: Prediction) -> tuple[float, float]:
    """The logarithm of the probability that a candidate is the likeliest digit, and that it is something else."""
    prior = 0.0 if candidate.whole else CUT
    digit = float(np.log(max(float(answer.probabilities.max()), FLOOR))) + prior
    other = float(np.log(max(answer.reject_probability, FLOOR))) + OTHER + prior
    if candidate.height < SMALL:
        return digit + LOW, OTHER
    return digit, other
