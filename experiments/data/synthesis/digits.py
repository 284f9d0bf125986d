"""Digits drawn from the project's own templates, and strokes that could be several digits."""

import numpy as np

from experiments.data.specs import Split
from experiments.data.synthesis.digit_templates import DIGITS
from experiments.data.synthesis.strokes import draw_template
from experiments.preprocessing.drawings import normalise_ink

CORNERS = (  # an L: a 4 without its stem, a 6 without its bowl
    "12,0 10,98 10,98 98,96",
    "26,0 6,96 6,96 98,90",
    "16,0 8,60 12,90 32,98 96,90",
    "22,0 4,54 10,90 48,98 98,80",
    "18,2 6,66 6,66 96,58",
)
"""Some people write these for one digit, others for another: a model should be unsure of them rather than sure and
wrong half of the time."""


def draw_ambiguous(split: Split, rng: np.random.Generator) -> np.ndarray:
    """Draw an ambiguous corner for each label: uint8 [N, 28, 28, 1], prepared as drawings are."""
    return np.stack([normalise_ink(draw_template(CORNERS, rng)) for _ in split.labels])


def draw_digits(split: Split, rng: np.random.Generator) -> np.ndarray:
    """Draw a digit for each label: uint8 [N, 28, 28, 1], prepared as drawings are."""
    return np.stack([normalise_ink(draw_template(DIGITS[int(label)], rng)) for label in split.labels])
