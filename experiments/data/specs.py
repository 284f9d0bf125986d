"""All that serving needs to know of a data set."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from experiments.preprocessing.drawings import prepare_drawing, slant
from experiments.preprocessing.photos import prepare_photo

View = Callable[[np.ndarray], np.ndarray]
"""From images uint8 [N, H, W, C] to the same ones seen otherwise."""


CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class DatasetSpec:
    """What stays the same whoever trains on a data set or serves it."""

    name: str
    image_shape: tuple[int, int, int]  # height, width, channels
    class_names: tuple[str, ...]
    registered_model: str
    prepare: Callable[[np.ndarray], np.ndarray | None]  # a drawing or photo -> uint8 image_shape; None: blank
    has_reject_class: bool = False  # whether its models have one output more, the last: none of the classes
    views: tuple[View, ...] = ()  # how a doubtful image is looked at again
    things: str = "images"  # what they show, in the plural
    min_sure_accuracy: float = 0.998  # share of right answers among the sure ones, on what calibration is fitted on
    max_unsure: float = 0.01  # at most so many images of the classes are unsure, whatever comes of the above

    @property
    def outputs(self) -> int:
        """Probabilities that a model of this data set gives."""
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
            things="digits",
            has_reject_class=True,
            max_unsure=0.0125,  # of people's own drawings it is more than twice as many
            views=(partial(slant, by=0.12), partial(slant, by=-0.12)),  # people lean to either side
        ),
        DatasetSpec(
            name="cifar10",
            image_shape=(32, 32, 3),
            class_names=CIFAR10_CLASSES,
            registered_model="Cifar10_Best_Model",
            prepare=prepare_photo,
            things="photos",
            min_sure_accuracy=0.98,
            max_unsure=0.25,
        ),
    )
}


DEFAULT_DATASET = next(iter(SPECS))
"""The data set that is meant where none is named."""


@dataclass(frozen=True, eq=False)
class Split:
    """images: uint8 [N, H, W, C], 0 to 255 as published; labels: int64 [N], positions in class_names."""

    images: np.ndarray
    labels: np.ndarray
