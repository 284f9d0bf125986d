"""Read what is on a sheet, one digit or a number: which splits are tried, and which answer stands."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import Cuts, Row, split
from experiments.numbers.marked import find_marks
from experiments.numbers.reading import read_number, refined
from experiments.preprocessing.formats import format_of
from experiments.preprocessing.headers import picture_size
from experiments.preprocessing.scaling import Box, place

LONG = 40  # digits, from which a sheet that is rejected is no number and is not split once more

Predict = Callable[[Sequence[np.ndarray | None]], Sequence[Prediction]]
"""Predicts images uint8 [H, W, C]; None stands for a blank one."""


class SheetReading:
    """The answer to a picture as it comes about: that to one digit, or, where that is not sure, to the number.

    While `cuts` is not None: split the picture so, have images() of the rows predicted, and give both to add().
    """

    cuts: Cuts | None
    """How the picture is to be split next; None once the answer stands."""

    def __init__(self, digit: Prediction, class_names: Sequence[str], is_one: bool = False) -> None:
        """digit: the answer to the picture as one digit. is_one: no number is read, but what looked blank is split, as
        it may be many small marks, which are rejected."""
        self._digit, self._class_names, self._is_one = digit, class_names, is_one
        self._number: Prediction | None = None
        self._answers: dict[bytes, Prediction] = {}  # by the image's bytes
        asked = digit.verdict == "blank" or not (is_one or digit.verdict == "sure")
        self.cuts = None if not asked else "wide" if is_one else "none"

    def images(self, rows: Sequence[Row] | None) -> list[np.ndarray]:
        """The candidates' images, uint8 [H, W, C], that have not been predicted yet."""
        images = {image.tobytes(): image for image in _images(rows or ())}
        return [] if self._is_one else [image for key, image in images.items() if key not in self._answers]

    def add(self, rows: Sequence[Row] | None, answers: Sequence[Prediction]) -> None:
        """Read the rows, as split() returns them. answers: to images(rows)."""
        if rows is None or self._is_one:
            self.cuts = None
            if self._digit.verdict == "blank" and (rows is None or rows):
                self._digit = replace(self._digit, verdict="rejected")
            return
        keys = (image.tobytes() for image in self.images(rows))
        self._answers.update(zip(keys, answers, strict=True))
        known = [self._answers[image.tobytes()] for image in _images(rows)]
        number = read_number(rows, known, self._class_names) if rows else None
        # Where all are sure, two are likelier than both as one, and one than a part of it.
        settled = number is not None and all(digit.answer.verdict == "sure" for digit in number.digits)
        if settled or self.cuts != "none":
            self._number = refined(self._number, number)
        self.cuts = None if settled else self._next(number)

    def _next(self, number: Prediction | None) -> Cuts | None:
        """The cuts to try after the last ones, which have found this number and left a doubt."""
        if self.cuts == "none":
            return "wide"
        is_one = number is None and self._digit.label
        is_none = number is not None and number.verdict == "rejected" and len(number.digits) >= LONG
        return None if self.cuts == "every" or is_one or is_none else "every"

    @property
    def answer(self) -> Prediction:
        """The answer so far."""
        number = self._number
        return number if number and (number.label or self._digit.verdict == "blank") else self._digit


def read_sheet(
    pixels: np.ndarray, predict: Predict, spec: DatasetSpec, size: tuple[int, int] | None = None
) -> Prediction:
    """The answer to a picture of any mode, uint8 [H, W] or [H, W, C], on which may be a number. size: px, of the
    picture as sent where it was decoded smaller. Raises ImageError."""
    image, box = prepare_one(pixels, spec, size)
    (digit,) = predict([image])
    reading = SheetReading(replace(digit, box=box), spec.class_names)
    marked = find_marks(pixels, size) if reading.cuts else None
    while reading.cuts:
        rows = split(marked, reading.cuts)
        reading.add(rows, predict(images) if (images := reading.images(rows)) else ())
    return reading.answer


def prepare_one(
    pixels: np.ndarray, spec: DatasetSpec, size: tuple[int, int] | None = None
) -> tuple[np.ndarray | None, Box | None]:
    """Prepare a picture as that of one digit or thing: its image, None if blank, and of a digit its box in px of the
    picture as sent, of this size. Raises ImageError."""
    if spec.locate is None:
        return spec.prepare(pixels), None
    located = spec.locate(pixels)
    if located is None:
        return None, None
    height, width = pixels.shape[:2]
    wide, high = size or (width, height)
    return located[0], place(located[1], (0, 0), (wide / width, high / height), (wide, high))


def size_as_sent(picture: bytes, pixels: np.ndarray) -> tuple[int, int]:
    """Width and height in px of a picture, upright, before it was decoded to uint8 [H, W, C]: large ones in JPEG and
    JPEG 2000 are decoded smaller."""
    height, width = pixels.shape[:2]
    known = format_of(picture)
    if known is None or not known.name.startswith("JPEG"):
        return width, height
    shorter, longer = sorted(picture_size(picture) or (0, 0))
    if round(longer / max(width, height)) <= 1:
        return width, height
    return (longer, shorter) if width > height else (shorter, longer)


def _images(rows: Sequence[Row]) -> list[np.ndarray]:
    return [candidate.image for row in rows for candidate in row.candidates]
