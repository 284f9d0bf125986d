"""The images that a data set was published with, as marks: training data must not hold them a second time."""

import hashlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.downloads import ARCHIVES
from experiments.data.specs import SPECS, DatasetSpec
from serving.storage.records import digest_prefix

if TYPE_CHECKING:
    from settings import Settings

TOLD_EVERY = 500  # images


def known_images(dataset: str, settings: "Settings", told: Callable[[int, int], None]) -> np.ndarray | None:
    """uint64, sorted: marks of all images, training and test, prepared as uploads are. None if the data set is not on
    this machine. Made once, which takes half a minute, and kept beside the artifacts; `told` hears how many of how many
    are done."""
    if not (settings.data_dir / ARCHIVES[dataset].file).is_file():
        return None
    spec, folder = SPECS[dataset], settings.artifact_dir / "published"
    path = folder / f"{dataset}-{_preparation(spec)}.npy"
    if path.is_file():
        return np.load(path)
    marks = _marks(spec, settings, told)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{os.getpid()}-{path.name}"
    np.save(unfinished, marks)
    unfinished.replace(path)
    return marks


def _marks(spec: DatasetSpec, settings: "Settings", told: Callable[[int, int], None]) -> np.ndarray:
    from experiments.data.archive import obtain

    arrays = obtain(ARCHIVES[spec.name], settings.data_dir)
    images = np.concatenate([arrays["x_train"], arrays["x_test"]]).reshape(-1, *spec.image_shape)
    marks = []
    for number, image in enumerate(images):
        if number % TOLD_EVERY == 0:
            told(number, len(images))
        prepared = spec.prepare(image)
        if prepared is not None:
            marks.append(digest_prefix(prepared.tobytes()))
    return np.sort(np.array(marks, np.uint64))


def _preparation(spec: DatasetSpec) -> str:
    """Changes when pictures are prepared in another way."""
    probe = np.full((60, 60, 3), 255, np.uint8)
    probe[10:50, 25:33] = probe[12:19, 15:40] = (30, 60, 90)
    return hashlib.sha256(spec.prepare(probe).tobytes()).hexdigest()[:16]
