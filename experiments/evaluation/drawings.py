"""Drawn digits: strokes put and inked on a sheet as on the page's pad, prepared, and their answers scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from experiments.data.datasets import DatasetError
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.strokes import parse, vary
from experiments.evaluation.metrics import calibration_error
from experiments.inference.predictions import Prediction
from experiments.preprocessing.drawings import prepare_drawing

PAD = 400  # px: side of the page's pad
MARGIN = 16  # px that stay free around a drawing
SIZES = (0.15, 0.3, 0.5, 0.7, 0.9)  # bounds of the groups in the report: share of the pad
BRUSHES = (6, 8, 16, 28, 40)  # px, likewise
TURNS = (-10, -5, 0, 5, 10)  # degrees, likewise
STRAIGHT = 0.95  # from end to end, as a share of the stroke's length


@dataclass(frozen=True, eq=False)
class Drawings:
    """Characters as pens wrote them: strokes of float [points, 2] (x right, y down); labels int64 [N], or
    characters [N] where no digits are; writers [N]."""

    strokes: Sequence[Sequence[np.ndarray]]
    labels: np.ndarray
    writers: np.ndarray


@dataclass(frozen=True)
class Layout:
    """How drawings are put on the pad, each evenly from a range: size as a share of the pad, brush in px, turn in
    degrees. A brush is never wider than a fourth of its drawing, which nobody could read."""

    sizes: tuple[float, float] = (0.15, 0.9)
    brushes: tuple[float, float] = (6, 40)
    turns: tuple[float, float] = (-10, 10)


@dataclass(frozen=True, eq=False)
class PreparedDrawings:
    """Drawings as they were put on the pad and prepared: images uint8 [N, 28, 28, 1], the rest one value each. bare:
    bool, one straight stroke and labelled other than 1, a piece of a digit whose rest is lost."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray
    sizes: np.ndarray
    brushes: np.ndarray
    turns: np.ndarray
    fragments: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of answered sheets. right: bool [N], of the first candidate; a refused one counts as wrong."""

    drawings: PreparedDrawings
    predictions: Sequence[Prediction]
    correct: np.ndarray

    def scores(self) -> dict[str, float]:
        """Shares of 1: of all drawings right, sure and refused; of the sure ones right; the calibration error."""
        sure = np.array([answer.verdict == "sure" for answer in self.predictions])
        refused = np.array([answer.label == "" for answer in self.predictions])
        confidence = np.array([answer.confidence for answer in self.predictions])
        return {
            "accuracy": float(self.correct.mean()),
            "sure": float(sure.mean()),
            "refused": float(refused.mean()),
            "sure_accuracy": float(self.correct[sure].mean()) if sure.any() else 0.0,
            "calibration_error": calibration_error(confidence[~refused], self.correct[~refused]),
        }

    def sure_accuracy_without_fragments(self) -> float:
        """Of the sure ones right, those left out that are a bare stroke; nan if there are none."""
        sure = np.array([answer.verdict == "sure" for answer in self.predictions]) & ~self.drawings.fragments
        return float(self.correct[sure].mean()) if sure.any() else float("nan")

    def groups(self) -> dict[str, tuple[int, float]]:
        """By digit, size, brush and turn: how many, and the share that is right."""
        sheets = self.drawings
        masks = {f"digit {digit}": sheets.labels == digit for digit in range(10)}
        bounds = (("size", sheets.sizes, SIZES), ("brush", sheets.brushes, BRUSHES), ("turn", sheets.turns, TURNS))
        for name, values, edges in bounds:
            for low, high in pairwise(edges):
                masks[f"{name} {low:g} to {high:g}"] = (values >= low) & (values < high)
        return {name: (int(mask.sum()), float(self.correct[mask].mean())) for name, mask in masks.items() if mask.any()}

    def as_json(self) -> dict[str, object]:
        """Scores and groups in plain types."""
        groups = {name: {"count": count, "accuracy": share} for name, (count, share) in self.groups().items()}
        return {"count": len(self.correct), **self.scores(), "groups": groups}

    def worst(self, count: int = 60) -> list[tuple[np.ndarray, str]]:
        """The mistakes of the greatest confidence: image uint8 [28, 28, 1] and a caption each."""
        wrong = sorted(np.flatnonzero(~self.correct).tolist(), key=lambda i: -self.predictions[i].confidence)[:count]
        captions = [
            f"{true} as {given.label or 'none'} {100 * given.confidence:.0f} %"
            for true, given in ((self.drawings.labels[i], self.predictions[i]) for i in wrong)
        ]
        return list(zip(self.drawings.images[wrong], captions, strict=True))

    def writer_accuracy(self, percentile: float, at_least: int = 20) -> float:
        """The accuracy at this percentile among writers of so many drawings; nan if there are none."""
        shares = [self.correct[self.drawings.writers == each] for each in np.unique(self.drawings.writers)]
        shares = [share.mean() for share in shares if len(share) >= at_least]
        return float(np.percentile(shares, percentile)) if shares else float("nan")


def read_strokes(path: Path) -> Drawings:
    """A stroke file: .npz with points [P, 2], stroke_start, digit_start, labels and writers. Raises DatasetError."""
    try:
        with path.open("rb") as opened, np.load(opened) as file:  # numpy leaves a broken file open
            points, stroke, digit = file["points"], file["stroke_start"], file["digit_start"]
            labels, writers = file["labels"], file["writers"]
    except (OSError, EOFError, BadZipFile, IndexError, KeyError, TypeError, ValueError) as error:
        reason = f"{path} is no stroke file ({error})."
        raise DatasetError(f"{reason} DRAWN_STROKES and DRAWN_LETTERS must name one, or be unset.") from error
    labels = labels.astype(np.int64) if labels.dtype.kind in "iu" else labels.astype(str)
    strokes = [[points[stroke[k] : stroke[k + 1]] for k in range(digit[i], digit[i + 1])] for i in range(len(labels))]
    return Drawings(strokes, labels, writers)


def half_of_writers(drawings: Drawings, odd: bool) -> Drawings:
    """The drawings of the writers at even, or odd, places in sorted order: one half to develop on, one to report."""
    chosen = np.flatnonzero(np.isin(drawings.writers, np.unique(drawings.writers)[int(odd) :: 2]))
    return Drawings([drawings.strokes[i] for i in chosen], drawings.labels[chosen], drawings.writers[chosen])


def generate(count: int, seed: int) -> Drawings:
    """Digits that the project draws itself, in equal numbers."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    templates = [DIGITS[digit][rng.integers(len(DIGITS[digit]))] for digit in labels]
    return Drawings([vary(parse(template), rng) for template in templates], labels, np.zeros(count, int))


def sample(drawings: Drawings, count: int, seed: int) -> Drawings:
    """So many of them, by chance."""
    chosen = np.random.default_rng(seed).permutation(len(drawings.labels))[:count]
    return Drawings([drawings.strokes[i] for i in chosen], drawings.labels[chosen], drawings.writers[chosen])


def put_on_pad(drawings: Drawings, layout: Layout, seed: int) -> PreparedDrawings:
    """Draws each one anywhere on the pad and prepares it as serving does."""
    rng = np.random.default_rng(seed)
    count = len(drawings.labels)
    sizes, turns = rng.uniform(*layout.sizes, count), rng.uniform(*layout.turns, count)
    widest = np.clip(sizes * (PAD - 2 * MARGIN) / 4, *layout.brushes)
    brushes = rng.uniform(layout.brushes[0], widest)
    images = [
        prepare_drawing(ink(place(rotate(strokes, turn), size, rng), brush))
        for strokes, size, brush, turn in zip(drawings.strokes, sizes, brushes, turns, strict=True)
    ]
    bare = np.array([_is_line(strokes) for strokes in drawings.strokes]) & (drawings.labels != 1)
    return PreparedDrawings(np.stack(images), drawings.labels, drawings.writers, sizes, brushes, turns, bare)


def score(sheets: PreparedDrawings, predictions: Sequence[Prediction]) -> Outcome:
    """Compares the answers with the labels."""
    given = np.array([int(answer.label or -1) for answer in predictions])
    return Outcome(sheets, predictions, given == sheets.labels)


def rotate(strokes: Sequence[np.ndarray], degrees: float) -> list[np.ndarray]:
    """The strokes turned clockwise."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in strokes]


def place(strokes: Sequence[np.ndarray], size: float, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes with their longer side at this share of the pad, somewhere on it, in px."""
    points = np.concatenate(strokes)
    corner, extent = points.min(0), np.ptp(points, axis=0)
    scale = size * (PAD - 2 * MARGIN) / max(extent.max(), 1e-6)
    offset = rng.uniform(MARGIN, PAD - MARGIN - extent * scale)
    return [(stroke - corner) * scale + offset for stroke in strokes]


def _is_line(strokes: Sequence[np.ndarray]) -> bool:
    """Whether there is one stroke, straight but for a hand's tremor."""
    if len(strokes) != 1:
        return False
    length = np.linalg.norm(np.diff(strokes[0], axis=0), axis=1).sum()
    return bool(np.linalg.norm(strokes[0][-1] - strokes[0][0]) > STRAIGHT * length)


def ink(strokes: Sequence[np.ndarray], brush: float) -> np.ndarray:
    """strokes: float [points, 2] each, px. Returns uint8 [PAD, PAD], 255 = paper, hard edged as the page's brush."""
    sheet = np.full((PAD, PAD), 255, np.uint8)
    for stroke in strokes:
        path = (stroke * 16).round().astype(np.int32)  # sixteenths of a px
        cv2.polylines(sheet, [path], False, 0, max(1, round(brush)), shift=4)
        for point in path:
            cv2.circle(sheet, point, max(1, round(brush * 8)), 0, cv2.FILLED, shift=4)
    return sheet
