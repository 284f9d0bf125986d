"""Digests of the images that a data set was published with: training data must not hold them a second time."""

import hashlib
import os
from collections.abc import Callable

import numpy as np

from experiments.data.archive import obtain
from experiments.data.downloads import ARCHIVES
from experiments.data.specs import SPECS, DatasetSpec
from serving.storage.records import digest_prefix
from settings import Settings

PROGRESS_EVERY = 500  # images


def known_images(dataset: str, settings: Settings, progress: Callable[[int, int], object]) -> np.ndarray | None:
    """Digest prefixes of all training and test images, prepared as uploads are: uint64 [N], sorted. None if the data
    set is not on this machine.

    Computed once, which takes half a minute, and kept beside the artifacts. progress: called with done and total.
    """
    if not (settings.data_dir / ARCHIVES[dataset].file).is_file():
        return None
    spec, folder = SPECS[dataset], settings.artifact_dir / "published"
    path = folder / f"{dataset}-{_preprocessing_digest(spec)}.npy"
    if path.is_file():
        known: np.ndarray = np.load(path)
        return known
    known = _compute(spec, settings, progress)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{os.getpid()}-{path.name}"
    np.save(unfinished, known)
    unfinished.replace(path)
    return known


def _compute(spec: DatasetSpec, settings: Settings, progress: Callable[[int, int], object]) -> np.ndarray:
    arrays = obtain(ARCHIVES[spec.name], settings.data_dir)
    images = np.concatenate([arrays["x_train"], arrays["x_test"]]).reshape(-1, *spec.image_shape)
    prefixes = []
    for number, image in enumerate(images):
        if number % PROGRESS_EVERY == 0:
            progress(number, len(images))
        prepared = spec.prepare(image)
        if prepared is not None:
            prefixes.append(digest_prefix(prepared.tobytes()))
    return np.sort(np.array(prefixes, np.uint64))


def _preprocessing_digest(spec: DatasetSpec) -> str:
    """Changes whenever pictures are preprocessed in another way."""
    probe = np.full((60, 60, 3), 255, np.uint8)
    probe[10:50, 25:33] = probe[12:19, 15:40] = (30, 60, 90)
    prepared = spec.prepare(probe)
    return hashlib.sha256(b"" if prepared is None else prepared.tobytes()).hexdigest()[:16]
