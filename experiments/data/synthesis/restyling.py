"""Restyle MNIST's digits: add an upstroke, a foot, a crossbar, a hook, a slash or a gap."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike

from experiments.data.specs import Split
from experiments.preprocessing.drawings import normalise_ink

ZOOM = 6  # sheet px per px of an MNIST image

Sheet = np.ndarray
"""uint8 [H, W], 0 = paper, 255 = ink."""


def restyle(digits: Split, rng: np.random.Generator) -> np.ndarray:
    """Restyle a share of the images of each digit: uint8 [N, 28, 28, 1] to the same, all prepared as drawings are."""
    pairs = zip(digits.images[..., 0], digits.labels.tolist(), strict=True)
    return np.stack([_restyle(image, label, rng) for image, label in pairs])


def _restyle(image: np.ndarray, label: int, rng: np.random.Generator) -> np.ndarray:
    sheet = cv2.resize(image, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC)
    margin = 10 * ZOOM
    sheet = cv2.copyMakeBorder(sheet, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    for edit, share in _EDITS.get(label, ()):
        if rng.random() < share:
            edit(sheet, _Ink(sheet), rng)
    box = _Ink(sheet)
    return normalise_ink(sheet[box.top : box.bottom + 1, box.left : box.right + 1] / np.float32(255))


class _Ink:
    """The bounding box of a sheet's ink and the width of its stroke, in px."""

    def __init__(self, sheet: Sheet) -> None:
        mask = (sheet > 127).astype(np.uint8)
        self.left, self.top, self.width, self.height = cv2.boundingRect(mask)
        self.right, self.bottom = self.left + self.width - 1, self.top + self.height - 1
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
        self.stroke = max(2, round(1.6 * float(np.percentile(depth[mask > 0], 90)))) if self.width else 2

    def middle_of_row(self, sheet: Sheet, row: int, end: int) -> int:
        """The middle x of the ink's first (end 0) or last (end -1) piece in a row."""
        columns = np.flatnonzero(sheet[min(max(row, self.top), self.bottom)] > 127)
        if not len(columns):
            return self.left + self.width // 2
        pieces = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
        return int(pieces[end].mean())


def _upstroke(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    start = np.array([ink.middle_of_row(sheet, ink.top + ink.stroke // 2, 0), ink.top + ink.stroke // 2])
    angle = rng.uniform(0.35, 1.4)  # radians between the upstroke and the stem
    lean = _lean(sheet, ink)
    length = ink.height * rng.uniform(0.2, 0.75 - 0.3 * angle)  # a long level one would be the roof of a 7
    end = start + length * np.array([-np.sin(angle - lean), np.cos(angle - lean)])
    bend = (start + end) / 2 + rng.normal(0, 0.04 * ink.height, 2)
    _stroke(sheet, ink, [start, bend, end])


def _lean(sheet: Sheet, ink: _Ink) -> float:
    """The angle, in radians, by which a stem leans to the right."""
    high, low = (ink.middle_of_row(sheet, ink.top + int(share * ink.height), 0) for share in (0.15, 0.85))
    return float(np.arctan2(high - low, 0.7 * ink.height))


def _foot(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    middle = ink.middle_of_row(sheet, ink.bottom - ink.stroke // 2, 0)
    reach, tilt = ink.height * rng.uniform(0.15, 0.4, 2), ink.height * rng.normal(0, 0.03)
    row = ink.bottom - ink.stroke // 2
    _stroke(sheet, ink, [(middle - reach[0], row + tilt), (middle, row), (middle + reach[1], row - tilt)])


def _crossbar(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    row = ink.top + int(ink.height * rng.uniform(0.42, 0.64))
    middle = ink.middle_of_row(sheet, row, -1)
    reach, tilt = ink.height * rng.uniform(0.16, 0.38, 2), ink.height * rng.normal(0.02, 0.06)
    _stroke(sheet, ink, [(middle - reach[0], row + tilt), (middle, row), (middle + reach[1], row - tilt)])


def _hook(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    start = np.array([ink.middle_of_row(sheet, ink.bottom - ink.stroke // 2, -1), ink.bottom - ink.stroke // 2])
    reach, rise = ink.height * rng.uniform(0.2, 0.6), ink.height * rng.uniform(-0.05, 0.2)
    sag = start + np.array([-0.45 * reach, ink.height * rng.uniform(0.02, 0.1)])
    _stroke(sheet, ink, [start, sag, start - (reach, rise)])


def _slash(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    centre = np.array([ink.left + ink.width / 2, ink.top + ink.height / 2])
    angle = rng.uniform(-0.35, 1.2)  # from level to steep, rising to the right
    half = 0.5 * max(ink.width, 0.6 * ink.height) * rng.uniform(0.7, 1.5) * np.array([np.cos(angle), -np.sin(angle)])
    _stroke(sheet, ink, [centre - half, centre + rng.normal(0, 2, 2), centre + half])


def _gap(sheet: Sheet, ink: _Ink, rng: np.random.Generator) -> None:
    angle = rng.uniform(-2.6, -0.5)  # somewhere at the top
    edge = np.array([ink.width / 2 * np.cos(angle), ink.height / 2 * np.sin(angle)])
    centre = np.array([ink.left + ink.width / 2, ink.top + ink.height / 2]) + 0.9 * edge
    radius = int(min(ink.height, ink.width) * rng.uniform(0.08, 0.18))
    cv2.circle(sheet, centre.astype(int).tolist(), radius, 0, cv2.FILLED)


def _stroke(sheet: Sheet, ink: _Ink, points: ArrayLike) -> None:
    """Draw a curve through three points [3, 2] (x, y), as wide as the digit's own stroke."""
    start, bend, end = np.asarray(points, float)
    control = 2 * bend - (start + end) / 2
    t = np.linspace(0, 1, 12)[:, None]
    path = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    cv2.polylines(sheet, [path.round().astype(np.int32)], False, 255, ink.stroke, cv2.LINE_AA)


_EDITS: dict[int, tuple[tuple[Callable[[Sheet, _Ink, np.random.Generator], None], float], ...]] = {
    0: ((_slash, 0.15), (_gap, 0.15)),
    1: ((_upstroke, 0.6), (_foot, 0.25)),
    7: ((_crossbar, 0.5),),
    9: ((_hook, 0.35),),
}
"""The edits of each digit, and the share of its images that get them."""
