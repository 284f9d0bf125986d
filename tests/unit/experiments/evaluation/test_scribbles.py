"""Scribbles of every kind."""

import numpy as np

from experiments.evaluation import drawings, scribbles


def test_there_are_as_many_of_each_kind_and_they_can_be_drawn() -> None:
    scribbled = scribbles.draw(5 * len(scribbles.KINDS), seed=0)
    assert {kind: np.count_nonzero(scribbled.labels == kind) for kind in scribbles.KINDS} == dict.fromkeys(
        scribbles.KINDS, 5
    )
    sheets = drawings.put_on_pad(scribbled, drawings.Layout(), 0)
    assert sheets.images.shape == (40, 28, 28, 1)
    assert len({image.tobytes() for image in sheets.images}) == 40


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (scribbles.draw(8, seed) for seed in (1, 1, 2))
    pairs = zip(first.strokes, again.strokes, other.strokes, strict=True)
    assert all(np.array_equal(a[0], b[0]) and not np.array_equal(a[0], c[0]) for a, b, c in pairs)
