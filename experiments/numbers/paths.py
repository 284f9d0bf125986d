"""Choose the most probable digits among the candidates of a row: the best path through its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import SMALL, Candidate, Row

# Logarithms of prior probabilities, chosen on strings of generated digits.
EXPONENT = 1.7  # of the model's probabilities
DIGIT = 1.1  # of one more digit, or fewer of them would win too often
CUT = -1.75  # of a candidate that takes a part of a mark
WIDE, FROM = -3.0, 1.05  # for each height by which a digit is wider than this share of it
NARROW, BELOW = -10.0, 0.15  # the same of a part that is narrower
LOW, USUAL = -5.0, 0.7  # the same of one that is lower
OTHER = -1.7  # of a mark that is no digit
OTHER_WIDE, OTHER_FROM = -1.5, 0.9  # the same of a wide one, which more often is several digits
DOT = -8.0  # of a mark that is too small for a digit, and may be a part of one
FLOOR = 1e-6  # probability below which none is taken for


@dataclass(frozen=True, eq=False)
class Step:
    """One candidate of a path: its position among the row's, and whether it is a digit."""

    candidate: int
    is_digit: bool


def best_path(row: Row, answers: Sequence[Prediction]) -> list[Step]:
    """The best path, given the answers to the candidates; empty if none leads through all pieces."""
    best = np.full(row.pieces + 1, -np.inf)
    best[0] = 0.0
    back: list[tuple[int, Step] | None] = [None] * (row.pieces + 1)
    for number, candidate in sorted(enumerate(row.candidates), key=lambda numbered: numbered[1].first):
        start, end = candidate.first, candidate.last + 1
        for score, is_digit in zip(_scores(candidate, answers[number]), (True, False), strict=True):
            if best[start] + score > best[end]:
                best[end], back[end] = best[start] + score, (start, Step(number, is_digit))
    steps, end = list[Step](), row.pieces
    while end and (link := back[end]):
        end, step = link
        steps.append(step)
    return steps[::-1]


def _scores(candidate: Candidate, answer: Prediction) -> tuple[float, float]:
    """The logarithm of the probability that a candidate is the likeliest digit, and that it is something else."""
    digit = EXPONENT * float(np.log(max(float(answer.probabilities.max()), FLOOR))) + DIGIT
    digit += WIDE * max(candidate.width - FROM, 0) + LOW * max(USUAL - candidate.height, 0)
    if not candidate.whole:
        return digit + CUT + NARROW * max(BELOW - candidate.width, 0), -np.inf
    if candidate.height < SMALL:
        return -np.inf, DOT
    other = EXPONENT * float(np.log(max(answer.reject_probability, FLOOR))) + OTHER
    return digit, other + OTHER_WIDE * max(candidate.width - OTHER_FROM, 0)
