"""Shapes that people draw and others call something else."""

import numpy as np

from experiments.data.synthesis.strokes import parse, vary
from experiments.evaluation import drawings as drawn
from experiments.preprocessing.drawings import prepare_drawing

SHAPES = {  # name: strokes, label that they have, "" if none, and another that sixty people give them
    "crossed seven": ("10,2 92,2 40,98/8,52 88,46", "7", "4"),
    "slashed zero": ("50,0 20,10 5,50 20,90 50,100 80,90 95,50 80,10 50,0/105,-10 -5,110", "0", "8"),
    "letter A": ("0,100 50,0 100,100/20,62 80,62", "", "4"),
    "nine with a long hook": ("85,20 55,0 20,12 18,40 50,52 82,35 85,20 84,70 70,98 10,100 -40,80", "9", "5"),
    "three with a tail": ("5,10 50,0 85,20 45,45 90,65 70,100 10,100 -50,60", "3", "2"),
    "letter E": ("80,0 5,0 5,100 85,100/5,50 65,50", "", "6"),
    "triangular four": ("70,100 70,0 0,65 110,65", "4", "9"),
    "two with a loop": ("5,25 40,0 85,20 60,60 10,95 0,75 25,70 55,100 120,95", "2", "6"),
    "square zero": ("0,0 80,0 80,100 0,100 0,0", "0", "7"),
    "one with a wide foot": ("5,35 50,0 50,100/-10,100 110,100", "1", "2"),
}


def drawings_of(name: str, count: int, seed: int) -> np.ndarray:
    """Draw a shape as so many hands would: uint8 [N, 28, 28, 1], prepared."""
    rng, images = np.random.default_rng(seed), []
    for _ in range(count):
        strokes = drawn.rotate(vary(parse(SHAPES[name][0]), rng), rng.uniform(-8, 8))
        sheet = drawn.ink(drawn.place(strokes, rng.uniform(0.4, 0.85), rng), rng.uniform(10, 24))
        images.append(prepare_drawing(sheet))
    return np.stack(images)
