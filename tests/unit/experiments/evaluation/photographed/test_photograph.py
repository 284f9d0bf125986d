"""Pictures of digits: the same for the same seed, and with the ink and the height that their condition states."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.evaluation.photographed import camera
from experiments.evaluation.photographed.conditions import CONDITIONS
from experiments.evaluation.photographed.photograph import photograph, take
from experiments.preprocessing.decoding import decode_image

ONE, SEVEN = ([np.array([[0.3, 0], [0.3, 1.0]])], [np.array([[0, 0], [0.6, 0], [0.2, 1.0]])])
for_each_condition = pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)


def rng(seed=0):
    return np.random.default_rng(seed)


@for_each_condition
def test_the_same_seed_takes_the_same_picture_and_another_another(condition) -> None:
    first, again, other = (photograph(SEVEN, condition, rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


@for_each_condition
def test_a_picture_is_decoded_by_serving_and_as_large_as_stated(condition) -> None:
    pixels = decode_image(photograph(SEVEN, condition, rng()))
    assert max(pixels.shape[:2]) % condition.side == 0  # thumbnails are enlarged


@for_each_condition
def test_ink_and_height_are_as_stated(condition) -> None:
    """What the digit changes in the picture, beside the same picture of a digit in the paper's own colour."""
    plain = replace(condition, marks=(), printed=(), turn=0, tilt=0, noise=0, colour_noise=0, blur=0, light=camera.even)
    clean, inked = (take(SEVEN, replace(plain, contrast=contrast), rng(3)) for contrast in (0, condition.contrast))
    change = (clean.astype(int) - inked) @ [0.299, 0.587, 0.114]
    rows = np.flatnonzero(np.abs(change).max(1) > abs(condition.contrast) / 4)
    pen = max(1, condition.height * condition.pen[1])
    assert rows[-1] - rows[0] == pytest.approx(condition.height + pen / 2, abs=pen / 2 + 2)
    strongest = np.percentile(change[np.abs(change) > abs(condition.contrast) / 2], 50)
    assert strongest == pytest.approx(condition.contrast, rel=0.25)


@for_each_condition
def test_a_digit_of_any_shape_is_within_the_picture(condition) -> None:
    wide = [np.array([[0, 0], [5.0, 1.0]])]
    point = [np.array([[0.5, 0.5]])]
    for strokes in (ONE, wide, point):
        assert take(strokes, condition, rng(4)).dtype == np.uint8


def test_every_condition_has_its_reason_and_all_but_thumbnails_are_legible() -> None:
    assert all(condition.reason for condition in CONDITIONS.values())
    small = [name for name, condition in CONDITIONS.items() if condition.height < 40]
    assert small == ["8×8 enlarged", "16×16 enlarged"]
    assert all(abs(condition.contrast) >= 30 for condition in CONDITIONS.values())
