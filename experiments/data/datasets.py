"""Load a data set as training, validation and test splits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.data.archive import Arrays, DatasetError, digest, obtain
from experiments.data.downloads import ARCHIVES
from experiments.data.specs import SPECS, DatasetSpec, Split

VALIDATION = 5_000  # images


@dataclass(frozen=True, eq=False)
class Dataset:
    """Splits to train on, to select models on, and to report (the official test set). `digest`: SHA-256 of the data."""

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split
    digest: str


def load(name: str, data_dir: Path) -> Dataset:
    """Load a data set from the cache in `data_dir`, downloading it if necessary. Raises DatasetError."""
    if name not in SPECS:
        raise DatasetError(f"There is no data set {name!r}. Choose one of: {', '.join(SPECS)}.")
    arrays = obtain(ARCHIVES[name], data_dir)
    return split(SPECS[name], arrays, digest(arrays))


def split(spec: DatasetSpec, arrays: Arrays, digest: str, validation: int = VALIDATION) -> Dataset:
    """Split the published training images into training and validation, stratified and the same on every call."""
    from sklearn.model_selection import StratifiedShuffleSplit  # imports slowly

    published, test = (
        Split(arrays[f"x_{part}"].reshape(-1, *spec.image_shape), arrays[f"y_{part}"].reshape(-1).astype(np.int64))
        for part in ("train", "test")
    )
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=validation, random_state=0)
    indices = next(splitter.split(published.labels, published.labels))
    train, held_out = (Split(published.images[i], published.labels[i]) for i in map(np.sort, indices))
    return Dataset(spec, train, held_out, test, digest)


def join(*parts: Split) -> Split:
    """Concatenate splits."""
    images, labels = zip(*((part.images, part.labels) for part in parts), strict=True)
    return Split(np.concatenate(images), np.concatenate(labels))
