"""Draw non-digits: symbols, scribbles, blots, several digits at once, digits turned on their side."""

import cv2
import numpy as np

from experiments.data.specs import Split
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.strokes import SHEET, draw_template, ink_strokes, random_brush, rotation, smooth
from experiments.data.synthesis.symbol_templates import SYMBOLS
from experiments.preprocessing.drawings import normalise_ink

TURNABLE = {2: (1, 3), 3: (1, 3), 4: (1, 2, 3)}
"""Digits that are none after so many quarter turns (6 and 9, for example, become each other)."""


def draw_non_digits(digits: Split, rng: np.random.Generator) -> np.ndarray:
    """Draw a non-digit for each label: uint8 [N, 28, 28, 1], prepared as drawings are. Some combine the split's
    images."""
    kinds = rng.choice(len(_KINDS), len(digits.labels), p=[share for _, share in _KINDS])
    return np.stack([normalise_ink(_KINDS[kind][0](digits.images, rng)) for kind in kinds])


def _symbol(_digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return draw_template(list(SYMBOLS.values())[rng.integers(len(SYMBOLS))], rng)


def _scribble(_digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    draw, widest = _SCRIBBLES[rng.integers(len(_SCRIBBLES))]
    strokes, wide = draw(rng), rng.uniform(0.6, widest)
    extent = np.ptp(np.concatenate(strokes), axis=0)
    shape = np.array([[wide, 0], [rng.normal(0, 0.2), 1]]) @ rotation(rng.uniform(0, 2 * np.pi))
    thickest = min(0.09, 0.2 / wide) * SHEET  # a narrow, thick scrawl would be a 1
    return ink_strokes([stroke / extent @ shape for stroke in strokes], min(random_brush(rng), thickest))


def _wander(rng: np.random.Generator) -> list[np.ndarray]:
    """A line that wanders about, too long for a digit."""
    return [smooth(rng.uniform(0, 1, (rng.integers(8, 30), 2)))]


def _zigzag(rng: np.random.Generator) -> list[np.ndarray]:
    """Hatching, across or downwards; four turns would be a 3."""
    turns = int(rng.integers(6, 24))
    points = np.stack([np.linspace(0, 1, turns), np.arange(turns) % 2], axis=-1) + rng.normal(0, 0.08, (turns, 2))
    points = points[:, :: rng.choice([-1, 1])]
    return [smooth(points) if rng.random() < 0.5 else points]


def _curl(rng: np.random.Generator) -> list[np.ndarray]:
    """A spiral, or loops in a row."""
    time = np.linspace(0, 1, 150)[:, None]
    angle = 2 * np.pi * time * rng.uniform(2.5, 7) + rng.uniform(0, 6)
    radius = time if rng.random() < 0.4 else 1
    drift = time * rng.uniform(-4, 4, 2)
    return [radius * np.concatenate([np.cos(angle), np.sin(angle)], axis=1) + drift + rng.normal(0, 0.03, (150, 2))]


def _lines(rng: np.random.Generator) -> list[np.ndarray]:
    """Many strokes in random places, straight or bent, long or short."""
    longest = rng.choice([2, 4], p=[0.4, 0.6])  # points
    sizes = rng.uniform(0.2, 1, rng.integers(4, 12))[:, None, None]
    starts = rng.uniform(0, 1 - sizes, (len(sizes), 1, 2))
    return [
        smooth(start + size * rng.uniform(0, 1, (rng.integers(2, longest + 1), 2)))
        for start, size in zip(starts, sizes, strict=True)
    ]


def _walk(rng: np.random.Generator) -> list[np.ndarray]:
    """A random walk, sometimes in several strokes."""
    strokes = []
    for _ in range(rng.integers(1, 4)):
        turning = rng.normal(0, rng.uniform(0.5, 1.6), rng.integers(50, 160))
        heading = np.cumsum(turning) + rng.uniform(0, 6)
        strokes.append(np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=-1), axis=0) / 10)
    return strokes


def _tally(rng: np.random.Generator) -> list[np.ndarray]:
    """Parallel strokes that do not touch, upright or level."""
    count = int(rng.integers(2, 8))
    across = np.arange(count)[:, None] + rng.normal(0, 0.12, (count, 2))
    along = np.array([0, 0.8 * count]) + rng.normal(0, 0.08 * count, (count, 2))
    strokes = np.stack([across, along], axis=-1)  # [count, 2 points, 2]
    return list(strokes[..., :: rng.choice([-1, 1])])


def _blot(_digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A patch filled by hatching or spiralling; too wide to be a stroke."""
    pen = rng.uniform(0.05, 0.2)
    step = pen * rng.uniform(0.5, 1.1)  # from one line to the next: above the pen's width a little paper is left
    if rng.random() < 0.5:
        lines = int(1 / step) + 2
        points = np.stack([np.arange(lines) * step, np.arange(lines) % 2], axis=-1)
        points[:, 1] += rng.normal(0, rng.uniform(0.02, 0.15), lines)
        shape = np.diag([1, rng.uniform(0.4, 2.5)])
    else:
        radius = np.linspace(rng.uniform(0, 0.1), 0.5, 200)[:, None]
        angle = 2 * np.pi * radius / step
        points = radius * np.concatenate([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.005, (200, 2))
        shape = np.diag([1, rng.uniform(0.5, 1)])
    return ink_strokes([points @ shape @ rotation(rng.uniform(0, 2 * np.pi))], pen * SHEET)


def _row(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two to four digits of the same height side by side."""
    chosen = [_one_digit(digits, rng) for _ in range(rng.choice([2, 3, 4], p=[0.6, 0.3, 0.1]))]
    gaps = [np.zeros((SHEET, int(SHEET * rng.uniform(0.05, 0.5))), np.float32) for _ in chosen]
    pieces = [piece for pair in zip(chosen, gaps, strict=True) for piece in pair]
    return np.concatenate(pieces[:-1], axis=1)


def _overlay(_digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two digits on top of each other; no 1, which could be a crossbar or a slash."""
    sheets: list[np.ndarray] = []
    while len(sheets) < 2:
        digit = int(rng.integers(2, 10))
        sheet = _fit(draw_template(DIGITS[digit], rng), rng.uniform(0.6, 1))
        sheets.append(np.roll(sheet, rng.integers(-SHEET // 4, SHEET // 4, 2), (0, 1)))
    return _cropped(np.maximum(*sheets))


def _quarter_turned(_digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    digit = list(TURNABLE)[rng.integers(len(TURNABLE))]
    return np.ascontiguousarray(np.rot90(draw_template(DIGITS[digit], rng), rng.choice(TURNABLE[digit])))


def _one_digit(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A real or a drawn digit: float32 [SHEET, w], 0 to 1."""
    if rng.random() < 0.5:
        image = digits[rng.integers(len(digits)), ..., 0]
        ink = _cropped(cv2.resize(image, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC) / np.float32(255))
    else:
        ink = draw_template(DIGITS[int(rng.integers(10))], rng)
    width = max(8, round(ink.shape[1] * SHEET / ink.shape[0]))
    return cv2.resize(ink, (min(width, 2 * SHEET), SHEET), interpolation=cv2.INTER_AREA)


def _fit(ink: np.ndarray, share: float) -> np.ndarray:
    """Centre ink float32 [h, w] on a sheet [2 * SHEET, 2 * SHEET], its longer side this share of SHEET."""
    scale = share * SHEET / max(ink.shape)
    small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sheet = np.zeros((2 * SHEET, 2 * SHEET), np.float32)
    top, left = SHEET - small.shape[0] // 2, SHEET - small.shape[1] // 2
    sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return sheet


def _cropped(ink: np.ndarray) -> np.ndarray:
    left, top, width, height = cv2.boundingRect((ink > 0.5).astype(np.uint8))
    return np.ascontiguousarray(ink[top : top + height, left : left + width])


_SCRIBBLES = ((_wander, 1.6), (_zigzag, 5), (_curl, 1.6), (_lines, 1.6), (_tally, 1.6), (_walk, 1.6))
"""How each is drawn, as strokes float64 [points, 2], and its greatest ratio of width to height."""
_KINDS = ((_symbol, 0.35), (_scribble, 0.37), (_blot, 0.05), (_row, 0.15), (_overlay, 0.03), (_quarter_turned, 0.05))
"""How each is drawn, as ink float32 [h, w], 0 to 1, and its share."""
