"""What training and serving both need to know about each data set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from experiments.preprocessing.drawings import locate_drawing, prepare_drawing, slant
from experiments.preprocessing.photos import prepare_photo
from experiments.preprocessing.scaling import Box

View = Callable[[np.ndarray], np.ndarray]
"""A transform for test-time augmentation: images uint8 [N, H, W, C] to uint8 [N, H, W, C]."""


@dataclass(frozen=True)
class DatasetSpec:
    """The constants of one data set."""

    name: str
    image_shape: tuple[int, int, int]  # height, width, channels
    class_names: tuple[str, ...]
    registered_model: str
    prepare: Callable[[np.ndarray], np.ndarray | None]  # a picture to uint8 image_shape; None if blank
    locate: Callable[[np.ndarray], tuple[np.ndarray, Box] | None] | None = None  # the same, and where on the picture
    has_reject_class: bool = False  # one more output, the last: none of the classes
    has_numbers: bool = False  # several things side by side are read as a number
    views: tuple[View, ...] = ()  # for test-time augmentation of doubtful images
    things: str = "images"  # plural noun for what the images show
    min_sure_accuracy: float = 0.998  # accuracy of sure answers on the calibration data
    max_unsure: float = 0.01  # share of the classes' images that may be unsure; takes precedence
    rivals: tuple[tuple[str, str], ...] = ()  # an answer, and the class that people write almost like it

    @property
    def outputs(self) -> int:
        """How many probabilities a model of this data set returns."""
        return len(self.class_names) + self.has_reject_class


SPECS = {
    spec.name: spec
    for spec in (
        DatasetSpec(
            name="mnist",
            image_shape=(28, 28, 1),
            class_names=tuple("0123456789"),
            registered_model="Mnist_Best_Model",
            prepare=prepare_drawing,
            locate=locate_drawing,
            things="digits",
            has_reject_class=True,
            has_numbers=True,
            max_unsure=0.0125,  # more than twice as many of people's own drawings are
            rivals=(("7", "1"),),  # a 1 with a long or level upstroke
            views=(partial(slant, by=0.12), partial(slant, by=-0.12)),  # people lean to either side
        ),
        DatasetSpec(
            name="cifar10",
            image_shape=(32, 32, 3),
            class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            registered_model="Cifar10_Best_Model",
            prepare=prepare_photo,
            things="photos",
            min_sure_accuracy=0.98,
            max_unsure=0.25,
        ),
    )
}

DEFAULT_DATASET = next(iter(SPECS))
"""The data set to use where none is named."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images uint8 [N, H, W, C], 0 to 255 as published, and labels int64 [N], indices of class_names."""

    images: np.ndarray
    labels: np.ndarray
