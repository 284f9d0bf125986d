"""Digits that the project draws itself, from templates; and corners that one person writes for one digit and the next
for another, of which a model had better be unsure than sure and wrong half of the time."""

import numpy as np

from experiments.data.specs import Split
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.strokes import ink_strokes, parse, random_brush, vary
from experiments.preprocessing.drawings import normalise_ink

CORNERS = (  # an L: a 4 without its stem, a 6 without its bowl
    "12,0 10,98 10,98 98,96",
    "26,0 6,96 6,96 98,90",
    "16,0 8,60 12,90 32,98 96,90",
    "22,0 4,54 10,90 48,98 98,80",
    "18,2 6,66 6,66 96,58",
)


def draw_ambiguous(wanted: Split, rng: np.random.Generator) -> np.ndarray:
    """Returns uint8 [N, 28, 28, 1] as preparation gives them: as many as there are labels, whatever these are."""
    return np.stack([normalise_ink(ink_strokes(_corner(rng), random_brush(rng))) for _ in wanted.labels])


def _corner(rng: np.random.Generator) -> list[np.ndarray]:
    return vary(parse(CORNERS[rng.integers(len(CORNERS))]), rng)


def draw_digits(wanted: Split, rng: np.random.Generator) -> np.ndarray:
    """Returns uint8 [N, 28, 28, 1]: a new drawing for each label, as preparation gives it."""
    return np.stack([draw_glyph(DIGITS[int(label)], rng) for label in wanted.labels])


def draw_glyph(templates: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """One of the templates, varied. Returns uint8 [28, 28, 1]."""
    strokes = vary(parse(templates[rng.integers(len(templates))]), rng)
    return normalise_ink(ink_strokes(strokes, random_brush(rng)))
