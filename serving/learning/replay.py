"""Replay kept answers on another version, to see which of them would change."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from experiments.data.specs import SPECS, DatasetSpec
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, predict
from experiments.registry import production
from experiments.registry.store import TrackingStore
from serving.storage.records import Entry
from settings import Settings

BATCH = 1000  # images at a time


@dataclass(frozen=True)
class ReplayResult:
    """How many answers were replayed, and those that would change, each with the version's own prediction."""

    version: str
    count: int
    changes: list[tuple[Entry, Prediction]]


def replay(kept: Iterable[Entry], bundle: Bundle, spec: DatasetSpec) -> ReplayResult:
    """Replay kept answers of a data set on a bundle."""
    model, count = LiteRTModel(bundle.tflite), 0
    changes: list[tuple[Entry, Prediction]] = []
    with_image = (entry for entry in kept if entry.image is not None)
    while entries := list(islice(with_image, BATCH)):
        pixels = b"".join(entry.image or b"" for entry in entries)
        images = np.frombuffer(pixels, np.uint8).reshape(-1, *bundle.input_shape)
        predictions = predict(model, images, spec, bundle.thresholds, bundle.version)
        count += len(entries)
        changes += [pair for pair in zip(entries, predictions, strict=True) if pair[0].label != pair[1].label]
    return ReplayResult(bundle.version, count, changes)


def bundle_of_version(settings: Settings, dataset: str, version: str) -> Bundle:
    """The bundle of any version in the registry. Raises RegistryError."""
    return production.export(TrackingStore.of(settings), SPECS[dataset], version)
