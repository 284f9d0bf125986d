"""Read a number: from the answers to all candidates of a sheet to one answer for what is written on it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from experiments.inference.predictions import Digit, Prediction, likeliest
from experiments.numbers.candidates import Row
from experiments.numbers.paths import Step, best_path

NO_DIGIT = "?"
NONE = 0.9  # probability of the reject class above which a mark on its own is no digit, however likely the rest
MOST_OTHERS = 0.34  # share of a sheet's marks that are no digits, above which it is rejected
LIKELY = 0.6  # geometric mean of the digits' probabilities below which it is rejected
CUT_LIKELY = 0.4  # confidence below which it is rejected where marks were cut
LETTER = 0.85  # the same where all may be one character: cut, a third of the letters H, M, N and W are two digits
LETTER_DIGITS = 4  # that a letter is cut into, at most
# The calibration of a number's confidence, a logistic regression on strings of generated digits.
BIAS, DIGITS, WITH_CUTS, WITH_OTHERS = 0.24, 0.72, -2.1, -2.2
SURE = 0.96  # confidence from which 99 % of those strings are right


def read_number(rows: Sequence[Row], answers: Sequence[Prediction], class_names: Sequence[str]) -> Prediction | None:
    """The answer for a sheet, given those to the candidates of all its rows in order; None if there is at most one
    digit on it."""
    start, lines, digits, has_cuts = 0, list[str](), list[Digit](), False
    for row in rows:
        own = answers[start : start + len(row.candidates)]
        start += len(own)
        steps = best_path(row, own)
        has_cuts |= not all(row.candidates[step.candidate].whole for step in steps)
        read = [_digit(row, step, own[step.candidate], class_names) for step in steps]
        digits += read
        lines.append("".join(digit.answer.label or NO_DIGIT for digit in read))
    if len(digits) < 2:
        return None
    probabilities = np.array([digit.answer.confidence for digit in digits if digit.answer.label])
    others = 1 - len(probabilities) / len(digits)
    confidence = _confidence(probabilities, has_cuts, others > 0)
    rejected = others > MOST_OTHERS or float(np.exp(np.log(probabilities).mean())) < LIKELY
    rejected |= has_cuts and confidence < _least(rows, len(digits))
    sure = confidence >= SURE and all(digit.answer.verdict == "sure" for digit in digits)
    return Prediction(
        label="" if rejected else "\n".join(lines),
        confidence=0.0 if rejected else confidence,
        probabilities=np.zeros_like(digits[0].answer.probabilities),
        verdict="rejected" if rejected else "sure" if sure else "unsure",
        candidates=(),
        model_version=digits[0].answer.model_version,
        image=np.concatenate([digit.answer.image for digit in digits if digit.answer.image is not None]),
        digits=tuple(digits),
    )


def refined(number: Prediction | None, found: Prediction | None) -> Prediction | None:
    """The number after one more split has found another: not sure where other ink was found before, which the split
    may only have cut into digits."""
    if number is None or found is None:
        return found or number
    others = not all(digit.answer.label for digit in number.digits)
    return replace(found, verdict="unsure") if others and found.verdict == "sure" else found


def _least(rows: Sequence[Row], digits: int) -> float:
    """The confidence that a number has to have in which marks were cut: much where all of it is no wider than one
    character may be, none where it is longer than what a letter can be cut into."""
    (first, *others) = rows
    one = not others and any(each.first == 0 and each.last == first.pieces - 1 for each in first.candidates)
    return LETTER if one else CUT_LIKELY if digits <= LETTER_DIGITS else 0.0


def _confidence(probabilities: np.ndarray, has_cuts: bool, has_others: bool) -> float:
    """The probability that all of a number is right, from those of its digits float [digits]."""
    together = np.clip(probabilities.prod(), 1e-9, 1 - 1e-5)
    score = BIAS + DIGITS * np.log(together / (1 - together)) + WITH_CUTS * has_cuts + WITH_OTHERS * has_others
    return float(1 / (1 + np.exp(-score)))


def _digit(row: Row, step: Step, answer: Prediction, class_names: Sequence[str]) -> Digit:
    """A step of a path: what is no digit has a rejected answer, and what is one has a label, however doubtful."""
    candidate = row.candidates[step.candidate]
    if not step.is_digit or (candidate.whole and answer.reject_probability > NONE):
        answer = replace(answer, label="", confidence=0.0, verdict="rejected", candidates=())
    elif not answer.label:
        ((best, second),) = likeliest(answer.probabilities[np.newaxis])
        answer = replace(
            answer,
            label=class_names[best],
            confidence=float(answer.probabilities[best]),
            verdict="unsure",
            candidates=(class_names[best], class_names[second]),
        )
    return Digit(candidate.box, answer)
