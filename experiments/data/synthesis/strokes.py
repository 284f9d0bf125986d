"""Turn stroke templates into handwriting: vary them smoothly, and ink them with a brush."""

from collections.abc import Sequence

import cv2
import numpy as np

SHEET = 160  # px: side of the sheet that a character is inked on
STEPS = 10  # points of the pen's path between two points of a template


def draw_template(templates: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw one of the templates as another hand with another pen would: float32 [h, w], 0 or 1, cropped to the ink."""
    strokes = vary(parse(templates[rng.integers(len(templates))]), rng)
    return ink_strokes(strokes, random_brush(rng))


def random_brush(rng: np.random.Generator) -> float:
    """A pen's width in px of SHEET, from the range that pads, sizes and brushes allow."""
    return SHEET * float(np.exp(rng.uniform(*np.log([0.02, 0.3]))))


def parse(template: str) -> list[np.ndarray]:
    """Parse a template into strokes: float64 [points, 2] each, x and y from 0 to 1."""
    return [np.array([point.split(",") for point in stroke.split()], float) / 100 for stroke in template.split("/")]


def vary(strokes: Sequence[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """Rewrite strokes as another hand would: dense paths float64 [points, 2], in no particular box."""
    loose = rng.uniform(0.01, 0.055)
    shape = _hand(rng)
    bend = rng.normal(0, 0.05, (2, 2, 2))
    paths = []
    for stroke in strokes:
        corner = np.r_[False, (np.diff(stroke, axis=0) == 0).all(1)]
        shift = rng.normal(0, loose, stroke.shape)
        shift[corner] = shift[np.flatnonzero(corner) - 1]  # keeps the doubled point of a corner together
        drift = rng.normal(0, 0.03, 2) if len(strokes) > 1 else 0  # strokes start a little apart
        path = smooth(_cut_ends(stroke + shift + drift, rng))
        x, y = (2 * np.pi * path.T / 2)[..., None]
        waves = np.stack([np.sin(x), np.sin(y)], axis=-1)[:, 0]  # [points, 2]
        paths.append((path + waves @ bend[0] * (path - 0.5) + waves @ bend[1]) @ shape)
    return paths


def ink_strokes(strokes: Sequence[np.ndarray], brush: float) -> np.ndarray:
    """Ink strokes float [points, 2], in any units, with a round brush of so many px of SHEET: float32 [h, w], 0 or 1,
    cropped to the ink."""
    points = np.concatenate(strokes)
    corner, size = points.min(0), max(np.ptp(points, axis=0).max(), 1e-6)
    margin = int(brush) + 2
    sheet = np.zeros((SHEET + 2 * margin,) * 2, np.uint8)
    for stroke in strokes:
        path = ((stroke - corner) / size * SHEET + margin).round().astype(np.int32)
        cv2.polylines(sheet, [path], False, 1, max(1, round(brush)))
    left, top, width, height = cv2.boundingRect(sheet)
    return sheet[top : top + height, left : left + width].astype(np.float32)


def rotation(radians: float) -> np.ndarray:
    """The matrix float64 [2, 2] that turns points [N, 2] (x right, y down) clockwise when they are multiplied by it."""
    cos, sin = np.cos(radians), np.sin(radians)
    return np.array([[cos, sin], [-sin, cos]])


def _hand(rng: np.random.Generator) -> np.ndarray:
    """A matrix float64 [2, 2]: how narrow, slanted and turned this hand writes."""
    turn, slant = rng.normal(0, 0.1), rng.normal(0.1, 0.22)
    narrow = float(np.exp(rng.uniform(np.log(0.55), np.log(1.25))))
    squeeze = np.array([[narrow, 0], [-slant, 1]])
    matrix: np.ndarray = squeeze @ rotation(turn)
    return matrix


def _cut_ends(stroke: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lengthen or shorten both ends of a stroke by about a tenth of their segment."""
    stroke = stroke.copy()
    early, late = rng.normal(0, 0.12, 2)
    stroke[0] += early * (stroke[1] - stroke[0])
    stroke[-1] += late * (stroke[-2] - stroke[-1])
    return stroke


def smooth(stroke: np.ndarray) -> np.ndarray:
    """Draw a Catmull-Rom curve through points float64 [N, 2]: float64 [(N - 1) * STEPS + 1, 2]."""
    if len(stroke) == 2:
        return np.linspace(stroke[0], stroke[1], STEPS + 1)
    padded = np.concatenate([stroke[:1], stroke, stroke[-1:]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]  # [points - 1, 2] each
    t = (np.arange(STEPS) / STEPS)[:, None, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )  # [STEPS, points - 1, 2]
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), stroke[-1:]])
