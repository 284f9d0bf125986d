"""Scribbles to evaluate a model on, drawn in other ways than those it was trained on (non_digits.py)."""

import numpy as np

from experiments.data.synthesis.strokes import smooth
from experiments.evaluation.drawings import Drawings, rotate


def draw(count: int, seed: int) -> Drawings:
    """Draw scribbles of every kind in equal numbers, turned by any angle; the labels are the kinds."""
    rng = np.random.default_rng(seed)
    kinds = np.resize(list(KINDS), count)
    strokes = [rotate(KINDS[kind](rng), rng.uniform(0, 360)) for kind in kinds]
    return Drawings(strokes, kinds, np.zeros(count, int))


def _parallel(rng: np.random.Generator) -> list[np.ndarray]:
    across = np.arange(rng.integers(3, 9)) * rng.uniform(0.15, 0.3)
    return [np.array([[x, 0], [x, 1]]) + rng.normal(0, 0.04, (2, 2)) for x in across]


def _spiral(rng: np.random.Generator) -> list[np.ndarray]:
    radius = np.linspace(0, 1, 200)
    angle = 2 * np.pi * radius * rng.uniform(3, 6)
    return [np.stack([radius * np.cos(angle), radius * np.sin(angle) * rng.uniform(0.6, 1)], axis=-1)]


def _zigzag(rng: np.random.Generator) -> list[np.ndarray]:
    """Straight lines between at least seven corners."""
    turns = int(rng.integers(7, 20))
    points = np.stack([np.linspace(0, rng.uniform(0.6, 2.5), turns), np.arange(turns) % 2], axis=-1)
    return [points + rng.normal(0, 0.08, (turns, 2))]


def _back_and_forth(rng: np.random.Generator) -> list[np.ndarray]:
    """A swinging hand, fast in the middle and slow where it turns."""
    time = np.linspace(0, rng.integers(6, 16), 300)
    reach = 1 + rng.normal(0, 0.15, 17)[time.astype(int)]
    return [np.stack([reach * np.cos(np.pi * time) / 2, time / time[-1] * rng.uniform(0.3, 1)], axis=-1)]


def _many_lines(rng: np.random.Generator) -> list[np.ndarray]:
    return list(rng.uniform(0, 1, (rng.integers(6, 14), 2, 2)))


def _corners(rng: np.random.Generator) -> list[np.ndarray]:
    """One line from corner to corner, anywhere on the sheet."""
    return [rng.uniform(0, 1, (rng.integers(8, 25), 2))]


def _walk(rng: np.random.Generator) -> list[np.ndarray]:
    """Brownian motion."""
    return [np.cumsum(rng.normal(0, 1, (rng.integers(40, 200), 2)), axis=0)]


def _wandering(rng: np.random.Generator) -> list[np.ndarray]:
    """Smoothed Brownian motion of few steps."""
    return [smooth(np.cumsum(rng.normal(0, 1, (rng.integers(8, 20), 2)), axis=0))]


KINDS = {
    "parallel strokes": _parallel,
    "spiral": _spiral,
    "zigzag": _zigzag,
    "to and fro": _back_and_forth,
    "many lines": _many_lines,
    "random corners": _corners,
    "walk": _walk,
    "wandering line": _wandering,
}
"""Each draws strokes float64 [points, 2]; from dense ones to those that may look like a digit by chance."""
