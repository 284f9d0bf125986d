"""The data sets: what each one is, and its images as train, validation and test."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.archive import Arrays, DatasetError, digest, obtain
from experiments.data.downloads import ARCHIVES
from experiments.data.specs import SPECS, DatasetSpec, Split

VALIDATION = 5_000  # images


@dataclass(frozen=True, eq=False)
class Dataset:
    """Train on one split, choose on validation, report the official test. `digest`: SHA-256 of the data."""

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split
    digest: str


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
