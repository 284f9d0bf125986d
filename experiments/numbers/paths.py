"""Choose the most probable digits among the candidates of a row: the best path through its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import SMALL, USUAL, Candidate, Row

# Logarithms of prior probabilities, chosen on strings of generated digits, letters and other ink.
EXPONENT = 3.0  # of the model's probabilities
DIGIT = 1.0  # of one more digit, or fewer of them would win too often
CUT = -1.9  # of a candidate that takes a part of a mark
CUT_ONE = -0.8  # of one that is taken for a 1, as a stroke of a letter is
WIDE, FROM = -3.5, 0.67  # for each height by which a digit is wider than this share of it
NARROW, BELOW = -5.7, 0.15  # the same of a part that is narrower
LOW = -4.0  # for each height by which one is lower than usual
OTHER = -2.4  # of a mark that is no digit
OTHER_WIDE, OTHER_FROM = -1.75, 0.55  # the same of a wide one, which more often is several digits
DOT = -5.2  # of a mark that is too small for a digit, and may be a part of one
ONE = 1  # the class of the digit 1
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
        digit += CUT_ONE * (int(answer.probabilities.argmax()) == ONE)
        return digit + CUT + NARROW * max(BELOW - candidate.width, 0), -np.inf
    if candidate.height < SMALL:
        return -np.inf, DOT
    other = EXPONENT * float(np.log(max(answer.reject_probability, FLOOR))) + OTHER
    return digit, other + OTHER_WIDE * max(candidate.width - OTHER_FROM, 0)
