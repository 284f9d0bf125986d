"""Shapes near the corrections."""

import numpy as np

from experiments.data.specs import Split
from experiments.evaluation.near_shapes import FEWEST, SAMPLED, near_shapes
from experiments.inference.predictions import Prediction

NAMES = ("narrow", "wide", "poison")


def answer(images: np.ndarray, verdict: str = "sure") -> list[Prediction]:
    """Read the images by the width of their ink."""
    wide = (images.max(axis=(1, 3)) > 127).sum(axis=1) > 14
    return [Prediction(NAMES[int(each)], 0.9, np.zeros(3), verdict, (), "3", None) for each in wide]  # type: ignore[arg-type]


def bars(count: int, width: int) -> Split:
    images = np.zeros((count, 28, 28, 1), np.uint8)
    images[:, 4:24, 14 - width // 2 : 14 + width // 2] = 255
    return Split(images, np.full(count, 2))


def test_they_are_the_distortions_that_are_read_otherwise() -> None:
    near = near_shapes(bars(FEWEST, 16), answer, NAMES)
    assert len(near.labels) >= FEWEST
    assert set(near.labels.tolist()) == {0}  # what is wide was corrected, and is not asked about
    assert [prediction.label for prediction in answer(near.images)] == ["narrow"] * len(near.labels)


def test_what_the_corrections_call_it_is_no_measure() -> None:
    called_narrow = Split(bars(FEWEST, 16).images, np.zeros(FEWEST, np.int64))
    assert len(near_shapes(called_narrow, answer, NAMES).labels) == 0


def test_few_are_none() -> None:
    assert near_shapes(bars(2, 16), answer, NAMES).images.shape == (0, 28, 28, 1)


def test_what_the_model_is_unsure_of_is_no_measure() -> None:
    assert len(near_shapes(bars(FEWEST, 16), lambda images: answer(images, "unsure"), NAMES).labels) == 0


def test_of_many_corrections_some_are_distorted() -> None:
    asked = []

    def counting(images: np.ndarray) -> list[Prediction]:
        asked.append(len(images))
        return answer(images)

    near_shapes(bars(3 * SAMPLED + 1, 16), counting, NAMES)
    assert max(asked) <= SAMPLED
