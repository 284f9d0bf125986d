"""Drawn digits: put strokes on the page's pad, prepare them as serving does, and score a model's predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self, cast
from zipfile import BadZipFile

import cv2
import numpy as np

from experiments.data.archive import DatasetError
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.strokes import parse, rotation, vary
from experiments.evaluation.metrics import calibration_error
from experiments.inference.predictions import Prediction
from experiments.preprocessing.drawings import prepare_drawing

PAD = 400  # px: side of the page's pad
MARGIN = 16  # px that stay free around a drawing
STRAIGHT = 0.95  # distance between a stroke's ends as a share of its length, from which it is a straight line
CLEAR = tuple("AEFHKMNPRWXkmwx")  # letters that nobody takes for a digit
BOUNDS = {"size": (0.15, 0.3, 0.5, 0.7, 0.9), "brush": (6, 8, 16, 28, 40), "turn": (-10, -5, 0, 5, 10)}
"""The bounds of the groups that are reported: shares of the pad, px and degrees."""


@dataclass(frozen=True, eq=False)
class Drawings:
    """Characters as pens wrote them: strokes of float [points, 2] (x right, y down), labels int64 [N] (str [N] of
    letters and scribbles), and writers [N]."""

    strokes: Sequence[Sequence[np.ndarray]]
    labels: np.ndarray
    writers: np.ndarray

    def take(self, indices: np.ndarray) -> Self:
        """Select drawings by index."""
        return type(self)([self.strokes[i] for i in indices.tolist()], self.labels[indices], self.writers[indices])


@dataclass(frozen=True)
class Layout:
    """How drawings are put on the pad, each property drawn evenly from a range: size as a share of the pad, brush in
    px, turn in degrees. A brush is never wider than a quarter of its drawing, which would be illegible."""

    sizes: tuple[float, float] = (0.15, 0.9)
    brushes: tuple[float, float] = (6, 40)
    turns: tuple[float, float] = (-10, 10)


@dataclass(frozen=True, eq=False)
class PreparedDrawings:
    """Drawings as prepared from the pad: images uint8 [N, 28, 28, 1]; the rest has one value per drawing. fragments:
    bool, a single straight stroke labelled other than 1, which is a piece of a digit whose rest is lost."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray
    sizes: np.ndarray
    brushes: np.ndarray
    turns: np.ndarray
    fragments: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """A model's predictions for drawings. correct: bool [N], whether the label is right; a rejected one is wrong."""

    drawings: PreparedDrawings
    predictions: Sequence[Prediction]
    correct: np.ndarray

    @property
    def sure(self) -> np.ndarray:
        """Whether each prediction is sure, bool [N]."""
        return np.array([prediction.verdict == "sure" for prediction in self.predictions])

    def scores(self) -> dict[str, float]:
        """Shares, 0 to 1: correct, sure and rejected drawings; correct ones among the sure; and calibration error."""
        sure = self.sure
        rejected = np.array([prediction.label == "" for prediction in self.predictions])
        confidence = np.array([prediction.confidence for prediction in self.predictions])
        return {
            "accuracy": float(self.correct.mean()),
            "sure": float(sure.mean()),
            "refused": float(rejected.mean()),
            "sure_accuracy": float(self.correct[sure].mean()) if sure.any() else 0.0,
            "calibration_error": calibration_error(confidence[~rejected], self.correct[~rejected]),
        }

    def sure_accuracy_without_fragments(self) -> float:
        """The accuracy of sure predictions, fragments left out; nan if there are none."""
        sure = self.sure & ~self.drawings.fragments
        return float(self.correct[sure].mean()) if sure.any() else float("nan")

    def groups(self) -> dict[str, tuple[int, float]]:
        """Count and accuracy by digit, size, brush and turn."""
        masks = {f"digit {digit}": self.drawings.labels == digit for digit in range(10)}
        for name, bins in self.bins().items():
            masks |= {f"{name} {low:g} to {high:g}": mask for low, high, mask in bins}
        return {name: (int(mask.sum()), float(self.correct[mask].mean())) for name, mask in masks.items() if mask.any()}

    def bins(self) -> dict[str, list[tuple[float, float, np.ndarray]]]:
        """The non-empty bins of size, brush and turn: lower and upper bound, and members bool [N]."""
        drawings = self.drawings
        values = {"size": drawings.sizes, "brush": drawings.brushes, "turn": drawings.turns}
        return {
            name: [
                (float(low), float(high), mask)
                for low, high in pairwise(BOUNDS[name])
                if (mask := (values[name] >= low) & (values[name] < high)).any()
            ]
            for name in values
        }

    def as_json(self) -> dict[str, object]:
        """Scores and groups in plain types."""
        groups = {name: {"count": count, "accuracy": share} for name, (count, share) in self.groups().items()}
        return {"count": len(self.correct), **self.scores(), "groups": groups}

    def worst(self, count: int = 60) -> list[tuple[np.ndarray, str]]:
        """The most confident mistakes: image uint8 [28, 28, 1] and caption each."""
        wrong = np.flatnonzero(~self.correct).tolist()
        wrong = sorted(wrong, key=lambda i: -self.predictions[i].confidence)[:count]
        captions = [
            f"{label} as {prediction.label or 'none'} {100 * prediction.confidence:.0f} %"
            for label, prediction in ((self.drawings.labels[i], self.predictions[i]) for i in wrong)
        ]
        return list(zip(self.drawings.images[wrong], captions, strict=True))

    def writer_accuracy(self, percentile: float, at_least: int = 20) -> float:
        """The accuracy at this percentile of writers with so many drawings; nan if there are none."""
        by_writer = [self.correct[self.drawings.writers == writer] for writer in np.unique(self.drawings.writers)]
        accuracies = [correct.mean() for correct in by_writer if len(correct) >= at_least]
        return float(np.percentile(accuracies, percentile)) if accuracies else float("nan")


def read_strokes(path: Path) -> Drawings:
    """Read a stroke file: .npz of points [P, 2], stroke_start, digit_start, labels and writers. Raises DatasetError."""
    try:
        with path.open("rb") as opened, np.load(opened) as file:  # numpy leaves a broken file open
            points, stroke, digit = file["points"], file["stroke_start"], file["digit_start"]
            labels, writers = file["labels"], file["writers"]
    except (OSError, EOFError, BadZipFile, IndexError, KeyError, TypeError, ValueError) as error:
        reason = f"{path} is not a stroke file ({error})."
        raise DatasetError(f"{reason} DRAWN_STROKES and DRAWN_LETTERS must name one, or be unset.") from error
    labels = labels.astype(np.int64) if labels.dtype.kind in "iu" else labels.astype(str)
    strokes = [[points[stroke[k] : stroke[k + 1]] for k in range(digit[i], digit[i + 1])] for i in range(len(labels))]
    return Drawings(strokes, labels, writers)


def half_of_writers(drawings: Drawings, odd: bool) -> Drawings:
    """Select the writers at even or odd positions in sorted order: one half to develop on, one to report."""
    half = np.unique(drawings.writers)[int(odd) :: 2]
    return drawings.take(np.flatnonzero(np.isin(drawings.writers, half)))


def of_writers(path: Path, writers: str) -> Drawings:
    """All drawings of a stroke file by "all" writers or the "even" or "odd" half. Raises DatasetError."""
    drawings = read_strokes(path)
    return drawings if writers == "all" else half_of_writers(drawings, odd=writers == "odd")


def choose(path: Path, writers: str, count: int, seed: int) -> Drawings:
    """Select so many drawings of a stroke file at random, of these writers. Raises DatasetError."""
    return sample(of_writers(path, writers), count, seed)


def generate(count: int, seed: int, digits: Sequence[int] = range(10)) -> Drawings:
    """Generate digits from the project's own templates, in equal numbers."""
    rng = np.random.default_rng(seed)
    labels = np.resize(digits, count)
    templates = [DIGITS[digit][rng.integers(len(DIGITS[digit]))] for digit in labels.tolist()]
    return Drawings([vary(parse(template), rng) for template in templates], labels, np.zeros(count, int))


def sample(drawings: Drawings, count: int, seed: int) -> Drawings:
    """Select so many drawings at random."""
    return drawings.take(np.random.default_rng(seed).permutation(len(drawings.labels))[:count])


def put_on_pad(drawings: Drawings, layout: Layout, seed: int) -> PreparedDrawings:
    """Ink every drawing somewhere on the pad and prepare it as serving does."""
    rng = np.random.default_rng(seed)
    count = len(drawings.labels)
    sizes, turns = rng.uniform(*layout.sizes, count), rng.uniform(*layout.turns, count)
    widest = np.clip(sizes * (PAD - 2 * MARGIN) / 4, *layout.brushes)
    brushes = rng.uniform(layout.brushes[0], widest)
    images = [
        cast(
            np.ndarray, prepare_drawing(ink(place(rotate(strokes, turn), size, rng), brush))
        )  # a stroke is never blank
        for strokes, size, brush, turn in zip(drawings.strokes, sizes, brushes, turns, strict=True)
    ]
    fragments = np.array([_is_line(strokes) for strokes in drawings.strokes]) & (drawings.labels != 1)
    return PreparedDrawings(np.stack(images), drawings.labels, drawings.writers, sizes, brushes, turns, fragments)


def score(drawings: PreparedDrawings, predictions: Sequence[Prediction]) -> Outcome:
    """Compare predictions with the labels."""
    labels = np.array([int(prediction.label or -1) for prediction in predictions])
    return Outcome(drawings, predictions, labels == drawings.labels)


def rotate(strokes: Sequence[np.ndarray], degrees: float) -> list[np.ndarray]:
    """Turn strokes clockwise."""
    matrix = rotation(np.radians(degrees))
    return [stroke @ matrix for stroke in strokes]


def place(strokes: Sequence[np.ndarray], size: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Scale strokes so that the longer side is this share of the pad, and put them somewhere on it, in px."""
    points = np.concatenate(strokes)
    corner, extent = points.min(0), np.ptp(points, axis=0)
    scale = size * (PAD - 2 * MARGIN) / max(extent.max(), 1e-6)
    offset = rng.uniform(MARGIN, PAD - MARGIN - extent * scale)
    return [(stroke - corner) * scale + offset for stroke in strokes]


def ink(strokes: Sequence[np.ndarray], brush: float) -> np.ndarray:
    """Ink strokes float [points, 2], in px, with the hard edge of the page's brush: uint8 [PAD, PAD], 255 = paper."""
    sheet = np.full((PAD, PAD), 255, np.uint8)
    for stroke in strokes:
        path = (stroke * 16).round().astype(np.int32)  # sixteenths of a px
        cv2.polylines(sheet, [path], False, 0, max(1, round(brush)), shift=4)
        for point in path:
            cv2.circle(sheet, point, max(1, round(brush * 8)), 0, cv2.FILLED, shift=4)
    return sheet


def _is_line(strokes: Sequence[np.ndarray]) -> bool:
    """Whether there is one stroke, straight except for a hand's tremor."""
    if len(strokes) != 1:
        return False
    length = np.linalg.norm(np.diff(strokes[0], axis=0), axis=1).sum()
    return bool(np.linalg.norm(strokes[0][-1] - strokes[0][0]) > STRAIGHT * length)
