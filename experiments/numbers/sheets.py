"""Read what is on a sheet, one digit or a number, in one process: the order of steps is that of serving."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import TooMuchError, split
from experiments.numbers.reading import read_number, refined

Predict = Callable[[Sequence[np.ndarray | None]], Sequence[Prediction]]
"""Predicts images uint8 [H, W, C]; None stands for a blank one."""


def read_sheet(pixels: np.ndarray, predict: Predict, spec: DatasetSpec) -> Prediction:
    """The answer to a picture of any mode, uint8 [H, W] or [H, W, C], on which may be a number: that to one digit, or,
    where that is not sure, to the number. Raises ImageError."""
    (answer,) = predict([spec.prepare(pixels)])
    if answer.verdict == "sure":
        return answer
    number: Prediction | None = None
    for every in (False, True):  # all that may touch is cut only where cutting what is wide leaves a doubt
        found = _number(pixels, every, predict, spec)
        number = refined(number, found)
        if (number and number.verdict == "sure") or (found is None and answer.label):
            break
    return number if number is not None and (number.label or answer.verdict == "blank") else answer


def _number(pixels: np.ndarray, every: bool, predict: Predict, spec: DatasetSpec) -> Prediction | None:
    """The number on a picture; None if there is none."""
    try:
        rows = split(pixels, every)
    except TooMuchError:
        return None
    if not rows:
        return None
    answers = predict([candidate.image for row in rows for candidate in row.candidates])
    return read_number(rows, answers, spec.class_names)
