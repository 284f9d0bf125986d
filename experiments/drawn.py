"""Accuracy on drawn digits: strokes laid out and inked on a sheet as on the page's pad, then answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from experiments.datasets import DatasetError
from experiments.glyphs import parse, vary
from experiments.templates import DIGITS

PAD = 400  # px: side of the page's pad
MARGIN = 16  # px that stay free around a drawing
SIZES = (0.15, 0.3, 0.5, 0.7, 0.9)  # bounds of the groups in the report: share of the pad
BRUSHES = (6, 8, 16, 28, 40)  # px, likewise


@dataclass(frozen=True, eq=False)
class Drawings:
    """Characters as pens wrote them: strokes of float [points, 2] (x right, y down); labels int64 [N]; writers [N]."""

    strokes: Sequence[Sequence[np.ndarray]]
    labels: np.ndarray
    writers: np.ndarray


@dataclass(frozen=True)
class Layout:
    """How drawings are put on the pad, each drawn evenly from a range: size as a share of the pad, brush in px."""

    sizes: tuple[float, float] = (0.3, 0.9)
    brushes: tuple[float, float] = (8, 28)


@dataclass(frozen=True, eq=False)
class Outcome:
    """One answered drawing a row: right or not bool [N]; label int64 [N]; size and brush float [N]."""

    right: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray
    brushes: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return float(self.right.mean())

    def groups(self) -> dict[str, tuple[int, float]]:
        """By digit, size and brush: how many, and the share that is right."""
        masks = {f"digit {digit}": self.labels == digit for digit in range(10)}
        for name, values, bounds in (("size", self.sizes, SIZES), ("brush", self.brushes, BRUSHES)):
            for low, high in pairwise(bounds):
                masks[f"{name} {low:g} to {high:g}"] = (values >= low) & (values < high)
        return {name: (int(mask.sum()), float(self.right[mask].mean())) for name, mask in masks.items() if mask.any()}


def read_strokes(path: Path) -> Drawings:
    """A stroke file: .npz with points [P, 2], stroke_start, digit_start, labels and writers. Raises DatasetError."""
    try:
        with np.load(path) as file:
            points, stroke, digit = file["points"], file["stroke_start"], file["digit_start"]
            labels, writers = file["labels"].astype(np.int64), file["writers"]
    except (OSError, EOFError, BadZipFile, IndexError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is no stroke file ({error}). DRAWN_STROKES must name one, or be unset.") from error
    strokes = [[points[stroke[k] : stroke[k + 1]] for k in range(digit[i], digit[i + 1])] for i in range(len(labels))]
    return Drawings(strokes, labels, writers)


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


def answer(drawings: Drawings, layout: Layout, seed: int, classify: Callable[[np.ndarray], str]) -> Outcome:
    """Draws each one anywhere on the pad. classify: uint8 [PAD, PAD], black on white, to the label or ""."""
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(*layout.sizes, len(drawings.labels))
    brushes = rng.uniform(*layout.brushes, len(drawings.labels))
    labels = [
        classify(ink(place(strokes, size, rng), brush))
        for strokes, size, brush in zip(drawings.strokes, sizes, brushes, strict=True)
    ]
    right = np.array([label == str(true) for label, true in zip(labels, drawings.labels, strict=True)])
    return Outcome(right, drawings.labels, sizes, brushes)


def place(strokes: Sequence[np.ndarray], size: float, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes with their longer side at this share of the pad, somewhere on it, in px."""
    points = np.concatenate(strokes)
    corner, extent = points.min(0), np.ptp(points, axis=0)
    scale = size * (PAD - 2 * MARGIN) / max(extent.max(), 1e-6)
    offset = rng.uniform(MARGIN, PAD - MARGIN - extent * scale)
    return [(stroke - corner) * scale + offset for stroke in strokes]


def ink(strokes: Sequence[np.ndarray], brush: float) -> np.ndarray:
    """strokes: float [points, 2] each, px. Returns uint8 [PAD, PAD], 255 = paper, hard edged as the page's brush."""
    sheet = np.full((PAD, PAD), 255, np.uint8)
    for stroke in strokes:
        path = (stroke * 16).round().astype(np.int32)  # sixteenths of a px
        cv2.polylines(sheet, [path], False, 0, max(1, round(brush)), shift=4)
        for point in path:
            cv2.circle(sheet, point, max(1, round(brush * 8)), 0, cv2.FILLED, shift=4)
    return sheet
