"""How plausible labels are."""

import numpy as np
import pytest

from experiments.inference.plausibility import DISTORTIONS, contradicting, distort, plausibility


class Wide:
    """Sure of class 1 where the ink is narrower than 9 px, and of class 0 otherwise."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.asked += len(images)
        narrow = (images.max(axis=(1, 3)) > 127).sum(axis=1) < 9
        return np.stack([~narrow, narrow, np.zeros(len(images))], axis=1).astype(np.float32)


def bars(*widths: int) -> np.ndarray:
    images = np.zeros((len(widths), 28, 28, 1), np.uint8)
    for image, width in zip(images, widths, strict=True):
        image[4:24, 14 - width // 2 : 14 + width // 2] = 255
    return images


def test_a_label_that_a_narrower_image_would_have_is_plausible() -> None:
    plausible = plausibility(Wide(), bars(10, 18, 10), np.array([1, 1, 2]))
    assert plausible[0] >= 1 / (1 + len(DISTORTIONS))
    assert plausible[1:].tolist() == [0, 0]


def test_a_label_that_the_model_gives_itself_is_not_looked_at_again() -> None:
    model = Wide()
    assert (plausibility(model, bars(10, 12, 14), np.zeros(3, np.int64)) > 0.1).all()
    assert model.asked == 3


def test_nothing_is_judged_where_nothing_is_there() -> None:
    nothing = np.zeros(0, np.int64)
    assert plausibility(Wide(), bars(), nothing).tolist() == []
    assert contradicting(np.zeros(0), nothing, nothing).tolist() == []


@pytest.mark.parametrize("shape", [(3, 28, 28, 1), (2, 32, 32, 3)])
def test_distorted_images_stay_images(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for matrix in DISTORTIONS:
        assert distort(images, matrix).shape == shape
    assert np.array_equal(distort(images, np.eye(2)), images)


def test_labels_that_confirm_one_another_are_no_more_plausible() -> None:
    few, many = [0.001] + [0.3] * 9, [0.001] * 5 + [0.3] * 5
    sevens, ones = np.full(10, 7), np.full(10, 1)
    assert contradicting(np.array(few), sevens, ones).tolist() == [True] + [False] * 9
    assert contradicting(np.array(many), sevens, ones).all()
    mixed = contradicting(np.array(many + few), np.repeat(7, 20), np.repeat([1, 2], 10))
    assert mixed.tolist() == [True] * 11 + [False] * 9
    assert contradicting(np.array(many), ones, ones).tolist() == [True] * 5 + [False] * 5
