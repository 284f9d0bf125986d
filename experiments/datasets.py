"""The data sets: what each one is, and its images as train, validation and test."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from experiments.archive import Arrays, DatasetError, digest, obtain
from experiments.preprocessing.drawings import prepare_drawing, slant
from experiments.preprocessing.photos import prepare_photo
from experiments.second_look import View
from experiments.sources import ARCHIVES

VALIDATION = 5_000  # images
PHOTOGRAPHED = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class DatasetSpec:
    """What stays the same whoever trains on a data set or serves it."""

    name: str
    image_shape: tuple[int, int, int]  # height, width, channels
    class_names: tuple[str, ...]
    registered_model: str
    prepare: Callable[[np.ndarray], np.ndarray | None]  # a drawing or photo -> uint8 image_shape; None: blank
    refuses: bool = False  # whether its models have one output more, the last: none of the classes
    views: tuple[View, ...] = ()  # how a doubtful image is looked at again
    things: str = "images"  # what they show, in the plural
    sure_right: float = 0.998  # share of right answers among the sure ones, on what calibration is fitted on
    most_unsure: float = 0.01  # at most so many images of the classes are unsure, whatever comes of the above

    @property
    def outputs(self) -> int:
        """Probabilities that a model of this data set gives."""
        return len(self.class_names) + self.refuses


@dataclass(frozen=True, eq=False)
class Split:
    """images: uint8 [N, H, W, C], 0 to 255 as published; labels: int64 [N], positions in class_names."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train on one split, choose on validation, report the official test. `digest`: SHA-256 of the data."""

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split
    digest: str


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
            refuses=True,
            most_unsure=0.0125,  # of people's own drawings it is more than twice as many
            views=(partial(slant, by=0.12), partial(slant, by=-0.12)),  # people lean to either side
        ),
        DatasetSpec(
            name="cifar10",
            image_shape=(32, 32, 3),
            class_names=PHOTOGRAPHED,
            registered_model="Cifar10_Best_Model",
            prepare=prepare_photo,
            things="photos",
            sure_right=0.98,
            most_unsure=0.25,
        ),
    )
}


def load(name: str, data_dir: Path) -> Dataset:
    """The genuine data set, from the cache in `data_dir` or downloaded; DatasetError if it can't be had."""
    if name not in SPECS:
        raise DatasetError(f"There is no data set {name!r}. Choose one of: {', '.join(SPECS)}.")
    arrays = obtain(ARCHIVES[name], data_dir)
    return split(SPECS[name], arrays, digest(arrays))


def split(spec: DatasetSpec, arrays: Arrays, digest: str, validation: int = VALIDATION) -> Dataset:
    """Takes the validation split, stratified and the same each time, out of the published training images."""
    from sklearn.model_selection import StratifiedShuffleSplit  # takes a second to import

    images, labels = _shaped(arrays["x_train"], spec), _labels(arrays["y_train"])
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=validation, random_state=0)
    train, held_out = map(np.sort, next(splitter.split(labels, labels)))  # in the order of publication
    return Dataset(
        spec,
        train=Split(images[train], labels[train]),
        validation=Split(images[held_out], labels[held_out]),
        test=Split(_shaped(arrays["x_test"], spec), _labels(arrays["y_test"])),
        digest=digest,
    )


def join(*parts: Split) -> Split:
    """One after the other."""
    images, labels = zip(*((part.images, part.labels) for part in parts), strict=True)
    return Split(np.concatenate(images), np.concatenate(labels))


def _shaped(images: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    return images.reshape(-1, *spec.image_shape)


def _labels(labels: np.ndarray) -> np.ndarray:
    return labels.reshape(-1).astype(np.int64)
