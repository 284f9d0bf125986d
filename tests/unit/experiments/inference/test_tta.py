"""Test-time augmentation of doubtful images."""

import numpy as np
import pytest

from experiments.data.specs import SPECS
from experiments.inference.tta import predict_with_tta, refine_with_tta
from experiments.preprocessing.drawings import slant


class Fake:
    """Gives class 1 to a bright image for sure, and to any other with the first pixel as percentage."""

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.batch_sizes.append(len(images))
        likely = np.where(images.mean(axis=(1, 2, 3)) > 200, 1, images[:, 0, 0, 0] / 100).astype(np.float32)
        return np.stack([1 - likely, likely], axis=-1)


BRIGHT, DIM = np.full((1, 4, 4, 1), 255, np.uint8), np.full((1, 4, 4, 1), 60, np.uint8)
VIEWS = (lambda images: images - 30, lambda images: images + 15)


def test_sure_images_are_predicted_once() -> None:
    model = Fake()
    assert predict_with_tta(model, BRIGHT, VIEWS).tolist() == [[0, 1]]
    assert model.batch_sizes == [1]


def test_doubtful_images_get_the_mean_over_all_views() -> None:
    model = Fake()
    outputs = predict_with_tta(model, np.concatenate([BRIGHT, DIM]), VIEWS)
    assert outputs == pytest.approx(np.array([[0, 1], [0.45, 0.55]]))  # 0.6, 0.3 and 0.75
    assert model.batch_sizes == [2, 1, 1]


def test_an_image_is_independent_of_its_batch() -> None:
    together = predict_with_tta(Fake(), np.concatenate([DIM, BRIGHT, DIM]), VIEWS)
    assert together[0].tolist() == together[2].tolist() == predict_with_tta(Fake(), DIM, VIEWS)[0].tolist()


def test_without_views_nothing_is_averaged() -> None:
    model = Fake()
    assert predict_with_tta(model, DIM, ()) == pytest.approx(np.array([[0.4, 0.6]]))
    assert model.batch_sizes == [1]


def test_given_outputs_are_not_modified() -> None:
    outputs = Fake()(DIM)
    refine_with_tta(Fake(), DIM, outputs, VIEWS)
    assert outputs == pytest.approx(np.array([[0.4, 0.6]]))


def test_slanting_keeps_the_middle_and_moves_top_and_bottom_apart() -> None:
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[:, :, 13:15] = 200
    slanted = slant(image, 0.5)
    columns = [np.flatnonzero(row).mean() for row in slanted[0, [0, 13, 27], :, 0]]
    assert columns == pytest.approx([6.75, 13.25, 20.25], abs=0.6)
    assert (slanted.shape, slanted.dtype) == (image.shape, np.uint8)


def test_digits_are_slanted_to_both_sides_alike() -> None:
    left, right = SPECS["mnist"].views
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[:, :, 13:15] = 200
    assert np.abs(left(image).astype(int) - right(image)[:, :, ::-1]).max() <= 1
