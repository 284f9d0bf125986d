"""What people write between digits that is none: points, commas, minus signs and letters."""

from collections.abc import Callable

import numpy as np

from experiments.data.synthesis.strokes import parse, vary
from experiments.data.synthesis.symbol_templates import SYMBOLS
from experiments.evaluation.drawings import CLEAR, Drawings
from experiments.evaluation.strings.compose import Character, written

OtherInk = Callable[[Drawings, np.random.Generator], Character]
"""Writes one character that is no digit, given letters to choose from."""


def point(letters: Drawings, rng: np.random.Generator) -> Character:  # noqa: ARG001 as all other ink
    """A decimal point on the line, hardly larger than the pen is wide."""
    end = rng.uniform(0.01, 0.05, 2)
    return Character([np.array([[0, 1 - end[1]], [end[0], 1]])])


def comma(letters: Drawings, rng: np.random.Generator) -> Character:  # noqa: ARG001 as all other ink
    """A decimal comma, from the line down to the left."""
    wide, high = rng.uniform(0.05, 0.12), rng.uniform(0.15, 0.3)
    return Character([np.array([[wide, 0.92], [wide, 0.97], [0, 0.92 + high]])])


def minus(letters: Drawings, rng: np.random.Generator) -> Character:  # noqa: ARG001 as all other ink
    """A minus sign, halfway up."""
    y = rng.uniform(0.4, 0.6)
    return Character([np.array([[0, y], [rng.uniform(0.3, 0.6), y + rng.uniform(-0.06, 0.06)]])])


def letter(letters: Drawings, rng: np.random.Generator) -> Character:
    """A letter as high as the digits."""
    return written(letters.strokes[int(rng.integers(len(letters.strokes)))], rng)


def clear(letters: Drawings) -> Drawings:
    """Those letters that nobody takes for a digit."""
    return letters.take(np.flatnonzero(np.isin(letters.labels, CLEAR)))


def generate_letters(count: int, seed: int) -> Drawings:
    """Generate clear letters from the project's own templates."""
    rng = np.random.default_rng(seed)
    names = [name for name in SYMBOLS if name in CLEAR]
    labels = np.resize(names, count)
    templates = [SYMBOLS[name][int(rng.integers(len(SYMBOLS[name])))] for name in labels.tolist()]
    return Drawings([vary(parse(template), rng) for template in templates], labels, np.zeros(count, int))
