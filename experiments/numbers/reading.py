"""Read a number: from the answers to all candidates of a sheet to one answer for what is written on it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from experiments.inference.predictions import Digit, Prediction, Verdict
from experiments.numbers.candidates import Row
from experiments.numbers.paths import Step, best_path

NO_DIGIT = "?"
MOST_OTHERS = 0.34  # share of a sheet's marks that are no digits, above which it is rejected
SURE = 0.97  # confidence of a number from which it is sure
LEAST = 0.1  # confidence below which a number is rejected


def read_number(rows: Sequence[Row], answers: Sequence[Prediction], class_names: Sequence[str]) -> Prediction | None:
    """The answer for a sheet, given those to the candidates of all its rows in order; None if there is at most one
    digit on it."""
    start, confidence, lines, digits = 0, 1.0, list[str](), list[Digit]()
    for row in rows:
        own = answers[start : start + len(row.candidates)]
        start += len(own)
        path = best_path(row, own)
        confidence *= path.share
        read = [_digit(row, step, own[step.candidate], class_names) for step in path.steps]
        confidence *= float(np.prod([digit.answer.confidence for digit in read if digit.answer.label]))
        digits += read
        lines.append("".join(digit.answer.label or NO_DIGIT for digit in read))
    if len(digits) < 2:
        return None
    others = sum(not digit.answer.label for digit in digits)
    verdict = _verdict(confidence, others / len(digits), digits)
    return Prediction(
        label="" if verdict == "rejected" else "\n".join(lines),
        confidence=0.0 if verdict == "rejected" else confidence,
        probabilities=np.zeros_like(digits[0].answer.probabilities),
        verdict=verdict,
        candidates=(),
        model_version=digits[0].answer.model_version,
        image=np.concatenate([digit.answer.image for digit in digits if digit.answer.image is not None]),
        digits=tuple(digits),
    )


def _verdict(confidence: float, others: float, digits: Sequence[Digit]) -> Verdict:
    if others > MOST_OTHERS or confidence < LEAST:
        return "rejected"
    if others or confidence < SURE or any(digit.answer.verdict != "sure" for digit in digits):
        return "unsure"
    return "sure"


def _digit(row: Row, step: Step, answer: Prediction, class_names: Sequence[str]) -> Digit:
    """A step of a path: what is no digit has a rejected answer, and what is one has a label, however doubtful."""
    if not step.is_digit:
        answer = replace(answer, label="", confidence=0.0, verdict="rejected", candidates=())
    elif not answer.label:
        best, second = np.argsort(-answer.probabilities, kind="stable")[:2].tolist()
        answer = replace(
            answer,
            label=class_names[best],
            confidence=float(answer.probabilities[best]),
            verdict="unsure",
            candidates=(class_names[best], class_names[second]),
        )
    return Digit(row.candidates[step.candidate].box, answer)
