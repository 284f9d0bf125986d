"""Read what is on a sheet, one digit or a number: which splits are tried, and which answer stands."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import Cuts, Row, TooMuchError, find_marks, split
from experiments.numbers.reading import read_number, refined

Predict = Callable[[Sequence[np.ndarray | None]], Sequence[Prediction]]
"""Predicts images uint8 [H, W, C]; None stands for a blank one."""


class SheetReading:
    """The answer to a picture as it comes about: that to one digit, or, where that is not sure, to the number.

    While `cuts` is not None: split the picture so, have images() of the rows predicted, and give both to add().
    """

    cuts: Cuts | None
    """How the picture is to be split next; None once the answer stands."""

    def __init__(self, digit: Prediction, class_names: Sequence[str]) -> None:
        """digit: the answer to the picture as one digit."""
        self._digit, self._class_names = digit, class_names
        self._number: Prediction | None = None
        self._answers: dict[bytes, Prediction] = {}  # by the image's bytes
        self.cuts = None if digit.verdict == "sure" else "wide"

    def images(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """The candidates' images, uint8 [H, W, C], that have not been predicted yet."""
        images = {image.tobytes(): image for image in _images(rows)}
        return [image for key, image in images.items() if key not in self._answers]

    def add(self, rows: Sequence[Row], answers: Sequence[Prediction]) -> None:
        """Read the rows, none where nothing could be split. answers: to images(rows)."""
        keys = (image.tobytes() for image in self.images(rows))
        self._answers.update(zip(keys, answers, strict=True))
        known = [self._answers[image.tobytes()] for image in _images(rows)]
        number = read_number(rows, known, self._class_names) if rows else None
        self._number = refined(self._number, number)
        is_sure = self._number is not None and self._number.verdict == "sure"
        # All that may touch is cut only where cutting what is wide leaves a doubt.
        done = self.cuts == "every" or is_sure or (number is None and self._digit.label)
        self.cuts = None if done else "every"

    @property
    def answer(self) -> Prediction:
        """The answer so far."""
        number = self._number
        return number if number and (number.label or self._digit.verdict == "blank") else self._digit


def read_sheet(pixels: np.ndarray, predict: Predict, spec: DatasetSpec) -> Prediction:
    """The answer to a picture of any mode, uint8 [H, W] or [H, W, C], on which may be a number. Raises ImageError."""
    (digit,) = predict([spec.prepare(pixels)])
    reading = SheetReading(digit, spec.class_names)
    marked = find_marks(pixels) if reading.cuts else None
    while reading.cuts:
        try:
            rows = split(marked, reading.cuts)
        except TooMuchError:
            rows = []
        reading.add(rows, predict(images) if (images := reading.images(rows)) else ())
    return reading.answer


def _images(rows: Sequence[Row]) -> list[np.ndarray]:
    return [candidate.image for row in rows for candidate in row.candidates]
