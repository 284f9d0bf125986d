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
ON_PAGES = (40.0, 70.0)  # px of a digit on a page
BRUSHES = (0.05, 0.16)  # width of the pen as a share of the height
SIZES = (0.85, 1.15)  # of a digit as a share of the height
BASELINE = 0.06  # share of the height by which a digit stands higher or lower, at most
PITCH = (1.5, 2.2)  # distance of rows, in heights
WIDEST = 1.3  # width of a digit as a share of its height, at most; a wider one is written smaller
MARGIN = 0.5  # share of the height that stays free around what is written
RULING = (165, 205)  # grey of the lines of ruled paper
OTHER = "?"  # label of what is no digit


@dataclass(frozen=True, eq=False)
class Character:
    """Strokes float [points, 2] in heights of a digit: x right from 0, y down from the top of the row, whose line is at
    1. label: OTHER for what is no digit."""

    strokes: Sequence[np.ndarray]
    label: str = OTHER


@dataclass(frozen=True)
class Layout:
    """How rows are written: height of a digit and width of the pen in px; slope of the rows; on ruled paper or not."""

    spacing: Spacing
    height: float
    brush: float
    slope: float = 0.0
    ruled: bool = False


@dataclass(frozen=True, eq=False)
class WrittenString:
    """A sheet uint8 [H, W], 255 = paper; what is written on it, rows by newline, with OTHER for what is no digit; and
    each digit alone on a sheet of its own, as large and with the same pen: uint8 [h, w]."""

    sheet: np.ndarray
    text: str
    alone: Sequence[np.ndarray]


def write_string(
    digits: Drawings, indices: Sequence[int], spacing: Spacing, rng: np.random.Generator, other: Character | None = None
) -> WrittenString:
    """Write these digits in one row. other: written between two of them."""
    height = rng.uniform(*HEIGHTS)
    row = [written(digits.strokes[index], rng, str(digits.labels[index])) for index in indices]
    if other is not None:
        row.insert(int(rng.integers(1, max(2, len(row)))), other)
    return write_rows([row], Layout(spacing, height, _brush(height, rng)), rng)


def write_page(
    digits: Drawings,
    rows: Sequence[Sequence[int]],
    rng: np.random.Generator,
    slant: float = 3.0,
    ruled: bool = False,
) -> WrittenString:
    """Write rows of spaced digits. slant: of the rows, in degrees to either side, at most; ruled: a line under each."""
    height = rng.uniform(*ON_PAGES)
    slope = float(np.tan(np.radians(rng.uniform(-slant, slant))))
    characters = [[written(digits.strokes[index], rng, str(digits.labels[index])) for index in row] for row in rows]
    return write_rows(characters, Layout("spaced", height, _brush(height, rng), slope, ruled), rng)


def of_one_writer(digits: Drawings, length: int, rng: np.random.Generator) -> list[int]:
    """Choose so many digits of one writer at random, the same one twice only where there are too few."""
    writer = digits.writers[rng.integers(len(digits.writers))]
    own = np.flatnonzero(digits.writers == writer)
    chosen: list[int] = rng.choice(own, length, replace=len(own) < length).tolist()
    return chosen


def written(strokes: Sequence[np.ndarray], rng: np.random.Generator, label: str = OTHER) -> Character:
    """A character as high as the others or nearly so, on the line or nearly so, from its strokes in any units."""
    points = np.concatenate(strokes)
    corner, extent = points.min(0), np.ptp(points, axis=0)
    scale = rng.uniform(*SIZES) / max(extent[1], extent[0] / WIDEST, 1e-6)
    base = np.array([0.0, 1 - extent[1] * scale + rng.uniform(-BASELINE, BASELINE)])
    return Character([(stroke - corner) * scale + base for stroke in strokes], label)


def write_rows(rows: Sequence[Sequence[Character]], layout: Layout, rng: np.random.Generator) -> WrittenString:
    """Write rows of characters, each row of a page beginning somewhere else."""
    height, placed, lines = layout.height, list[list[np.ndarray]](), list[float]()
    digits = list[list[np.ndarray]]()
    pitch, top = rng.uniform(*PITCH) * height, 0.0
    for row in rows:
        right = rng.uniform(0, height) if len(rows) > 1 else 0.0
        for character in row:
            shift = np.array([right, top + layout.slope * right])
            strokes = [stroke * height + shift for stroke in character.strokes]
            placed.append(strokes)
            if character.label != OTHER:
                digits.append(strokes)
            wide = np.ptp(np.concatenate(strokes)[:, 0])
            right += wide + layout.brush + rng.uniform(*GAPS[layout.spacing]) * height
        lines.append(top + height + layout.brush / 2)
        top += pitch if layout.ruled else rng.uniform(*PITCH) * height
    text = "\n".join("".join(character.label for character in row) for row in rows)
    margin = MARGIN * height
    sheet = _ink(placed, layout.brush, margin, lines if layout.ruled else (), int(rng.integers(*RULING)))
    return WrittenString(sheet, text, [_ink([strokes], layout.brush, margin) for strokes in digits])


def _brush(height: float, rng: np.random.Generator) -> float:
    return max(2.0, height * rng.uniform(*BRUSHES))


def _ink(
    placed: Sequence[Sequence[np.ndarray]], brush: float, margin: float, lines: Sequence[float] = (), grey: int = 0
) -> np.ndarray:
    points = np.concatenate([stroke for strokes in placed for stroke in strokes])
    low = points.min(0) - margin - brush
    width, height = np.ceil(points.max(0) + margin + brush - low).astype(int)
    sheet = np.full((height, width), 255, np.uint8)
    for line in lines:
        y = round(line - low[1])
        cv2.line(sheet, (0, y), (int(width), y), grey, 1 + (margin > 25))
    for strokes in placed:
        for stroke in strokes:
            path = ((stroke - low) * 16).round().astype(np.int32)
            cv2.polylines(sheet, [path], False, 0, max(1, round(brush)), shift=4)
            for point in path:
                cv2.circle(sheet, point, max(1, round(brush * 8)), 0, cv2.FILLED, shift=4)
    return sheet
