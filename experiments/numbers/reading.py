"""Read a number: from the answers to all candidates of a sheet to one answer for what is written on it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from experiments.inference.predictions import Digit, Prediction, likeliest
from experiments.numbers.candidates import Row
from experiments.numbers.paths import Step, best_path

NO_DIGIT = "?"
NONE = 0.85  # probability of the reject class above which a mark on its own is no digit, however likely the rest
MOST_OTHERS = 0.34  # share of a sheet's marks that are no digits, above which it is rejected
LIKELY = 0.6  # geometric mean of the digits' probabilities below which it is rejected
CUT_LIKELY = 0.3  # confidence below which it is rejected where marks were cut
LETTER_DIGITS = 4  # that a letter is cut into, at most
# Where one mark was cut that is all there is: the probability that it is a number, a logistic regression on touching
# generated digits and on generated letters. Cut, many letters H, M, N and W are two digits.
ONE_BIAS = -6.0
ONE_DIGITS = 0.74  # times the logit of the product of the digits' probabilities
ONE_WIDTH = 1.2  # times the width of all as a share of the digits' height
ONE_HEIGHT = 3.5  # times the height of the lowest of them, likewise
ONE_CUT = -1.3  # for each 1 that was cut off, as a stroke of a letter is
LETTER_WIDTH = 1.8  # likewise, of a letter, at most
NUMBER = 0.8  # probability below which it is rejected: one in 400 of those letters is more
# The calibration of a number's confidence, a logistic regression on strings of generated digits, other ink among them.
BIAS = 0.2
DIGITS = 0.74  # times the logit of the product of the digits' probabilities
WITH_CUTS = -1.1  # where a mark was cut
WITH_OTHERS = -1.2  # where there is other ink
CUT_ONE = -0.4  # for each 1 that was cut off, as a stroke of a letter is
LEAST = 0.05  # product of the digits' probabilities, at least
SURE = 0.975  # confidence from which 99 % of the strings of digits are right


def read_number(rows: Sequence[Row], answers: Sequence[Prediction], class_names: Sequence[str]) -> Prediction | None:
    """The answer for a sheet, given those to the candidates of all its rows in order; None if there is at most one
    digit on it."""
    start, lines, digits, cut = 0, list[str](), list[Digit](), list[Digit]()
    for row in rows:
        own = answers[start : start + len(row.candidates)]
        start += len(own)
        steps = best_path(row, own)
        read = [_digit(row, step, own[step.candidate], class_names) for step in steps]
        cut += [digit for digit, step in zip(read, steps, strict=True) if not row.candidates[step.candidate].whole]
        digits += read
        lines.append("".join(digit.answer.label or NO_DIGIT for digit in read))
    if len(digits) < 2:
        return None
    probabilities = np.array([digit.answer.confidence for digit in digits if digit.answer.label])
    others = 1 - len(probabilities) / len(digits)
    confidence = _confidence(probabilities, others > 0, cut)
    rejected = others > MOST_OTHERS or float(np.exp(np.log(probabilities).mean())) < LIKELY
    rejected |= bool(cut) and len(digits) <= LETTER_DIGITS and confidence < CUT_LIKELY
    rejected |= bool(cut) and _is_one(rows, probabilities, cut)
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
    """The number after one more split has found another: the more confident of both, but not sure where other ink was
    found before, which the split may only have cut into digits."""
    if number is None or found is None:
        return found or number
    if not found.label or number.confidence > found.confidence:
        return number
    others = not all(digit.answer.label for digit in number.digits)
    return replace(found, verdict="unsure") if others and found.verdict == "sure" else found


def _is_one(rows: Sequence[Row], probabilities: np.ndarray, cut: Sequence[Digit]) -> bool:
    """Whether what was cut is rather one character that is no digit."""
    (row, *others) = rows
    if others or not row.is_one_mark or row.width > LETTER_WIDTH:
        return False
    lowest = min(bottom - top for _, top, _, bottom in (digit.box for digit in cut)) / row.height
    score = ONE_BIAS + ONE_DIGITS * _logit(probabilities) + ONE_WIDTH * row.width + ONE_HEIGHT * lowest
    return _logistic(score + ONE_CUT * _ones(cut)) < NUMBER


def _confidence(probabilities: np.ndarray, has_others: bool, cut: Sequence[Digit]) -> float:
    """The probability that all of a number is right, from those of its digits float [digits] and which were cut."""
    score = BIAS + DIGITS * _logit(probabilities) + WITH_OTHERS * has_others
    return _logistic(score + WITH_CUTS * bool(cut) + CUT_ONE * _ones(cut))


def _ones(cut: Sequence[Digit]) -> int:
    return sum(digit.answer.label == "1" for digit in cut)


def _logit(probabilities: np.ndarray) -> float:
    together = float(np.clip(probabilities.prod(), LEAST, 1 - 1e-5))
    return float(np.log(together / (1 - together)))


def _logistic(score: float) -> float:
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
