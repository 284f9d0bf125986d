"""Write numbers as one writer would: digits side by side, spaced, close or touching, and pages of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from experiments.evaluation.drawings import Drawings

Spacing = Literal["spaced", "close", "touching"]
GAPS: dict[Spacing, tuple[float, float]] = {"spaced": (0.15, 0.4), "close": (0.0, 0.15), "touching": (-0.12, 0.0)}
"""The gap between the inked rectangles of neighbours, as a share of the height; below 0 they overlap."""
HEIGHTS = (48.0, 110.0)  # px of a digit
BRUSHES = (0.05, 0.16)  # width of the pen as a share of the height
SIZES = (0.85, 1.15)  # of a digit as a share of the height
BASELINE = 0.06  # share of the height by which a digit stands higher or lower, at most
WIDEST = 1.3  # width of a digit as a share of its height, at most; a wider one is written smaller
MARGIN = 0.5  # share of the height that stays free around what is written


@dataclass(frozen=True, eq=False)
class WrittenString:
    """A sheet uint8 [H, W], 255 = paper; what is written on it, rows by newline; and each digit alone on a sheet of its
    own, as large and with the same pen: uint8 [h, w]."""

    sheet: np.ndarray
    text: str
    alone: Sequence[np.ndarray]


def write_string(digits: Drawings, indices: Sequence[int], spacing: Spacing, rng: np.random.Generator) -> WrittenString:
    """Write these digits in one row."""
    height = rng.uniform(*HEIGHTS)
    brush = max(2.0, height * rng.uniform(*BRUSHES))
    return _write(digits, [list(indices)], spacing, height, brush, rng)


def write_page(digits: Drawings, rows: Sequence[Sequence[int]], rng: np.random.Generator) -> WrittenString:
    """Write rows of spaced digits, slanted by up to 3 degrees."""
    height = rng.uniform(40, 70)
    brush = max(2.0, height * rng.uniform(*BRUSHES))
    return _write(digits, rows, "spaced", height, brush, rng, slope=float(np.tan(np.radians(rng.uniform(-3, 3)))))


def of_one_writer(digits: Drawings, length: int, rng: np.random.Generator) -> list[int]:
    """Choose so many digits of one writer at random, the same one twice only where there are too few."""
    writer = digits.writers[rng.integers(len(digits.writers))]
    own = np.flatnonzero(digits.writers == writer)
    chosen: list[int] = rng.choice(own, length, replace=len(own) < length).tolist()
    return chosen


def _write(
    digits: Drawings,
    rows: Sequence[Sequence[int]],
    spacing: Spacing,
    height: float,
    brush: float,
    rng: np.random.Generator,
    slope: float = 0.0,
) -> WrittenString:
    placed: list[list[np.ndarray]] = []
    top = 0.0
    for row in rows:
        right = rng.uniform(0, height) if len(rows) > 1 else 0.0
        for index in row:
            strokes, extent = _scaled(digits.strokes[index], height * rng.uniform(*SIZES))
            base = top + height - extent[1] + rng.uniform(-BASELINE, BASELINE) * height
            shift = np.array([right, base + slope * right])
            placed.append([stroke + shift for stroke in strokes])
            right += extent[0] + brush + rng.uniform(*GAPS[spacing]) * height
        top += height * rng.uniform(1.5, 2.2)
    text = "\n".join("".join(str(digits.labels[index]) for index in row) for row in rows)
    margin = MARGIN * height
    return WrittenString(_ink(placed, brush, margin), text, [_ink([each], brush, margin) for each in placed])


def _scaled(strokes: Sequence[np.ndarray], height: float) -> tuple[list[np.ndarray], np.ndarray]:
    """Strokes of this height, with their corner at the origin, and their extent float [2]."""
    points = np.concatenate(strokes)
    corner, extent = points.min(0), np.ptp(points, axis=0)
    scale = height / max(extent[1], extent[0] / WIDEST, 1e-6)
    return [(stroke - corner) * scale for stroke in strokes], extent * scale


def _ink(placed: Sequence[Sequence[np.ndarray]], brush: float, margin: float) -> np.ndarray:
    points = np.concatenate([stroke for strokes in placed for stroke in strokes])
    low = points.min(0) - margin - brush
    width, height = np.ceil(points.max(0) + margin + brush - low).astype(int)
    sheet = np.full((height, width), 255, np.uint8)
    for strokes in placed:
        for stroke in strokes:
            path = ((stroke - low) * 16).round().astype(np.int32)
            cv2.polylines(sheet, [path], False, 0, max(1, round(brush)), shift=4)
            for point in path:
                cv2.circle(sheet, point, max(1, round(brush * 8)), 0, cv2.FILLED, shift=4)
    return sheet
