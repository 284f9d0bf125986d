"""Replay kept answers on another version, to see which of them would change."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from experiments.data.specs import SPECS, DatasetSpec
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, Verdict, predict
from experiments.numbers.reading import NO_DIGIT
from experiments.registry import production
from experiments.registry.store import TrackingStore
from serving.storage.digits import with_digits
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
    """Replay kept answers of a data set on a bundle. A number is read anew digit by digit, split as it was, since its
    picture is not kept; one that was rejected has no digits to read, so it is left out."""
    model, count = LiteRTModel(bundle.tflite), 0
    changes: list[tuple[Entry, Prediction]] = []
    for entries in _batches(kept, spec):
        pixels = b"".join(entry.image or b"" for entry in entries)
        images = np.frombuffer(pixels, np.uint8).reshape(-1, *bundle.input_shape)
        predictions = iter(predict(model, images, spec, bundle.thresholds, bundle.version))
        count += len(entries)
        for entry in entries:
            own = list(islice(predictions, _images(entry, spec)))
            prediction = own[0] if len(own) == 1 else _number(entry.label, own, spec.class_names)
            if prediction.label != entry.label:
                changes.append((entry, prediction))
    return ReplayResult(bundle.version, count, changes)


def _batches(kept: Iterable[Entry], spec: DatasetSpec) -> Iterator[list[Entry]]:
    """Those that can be replayed, so many at a time that they have BATCH images or some more."""
    entries, images = list[Entry](), 0
    for entry in kept:
        count = _images(entry, spec)
        if count == 0 or (count > 1 and len("".join(entry.label.split())) != count):
            continue
        entries.append(entry)
        images += count
        if images >= BATCH:
            yield entries
            entries, images = [], 0
    if entries:
        yield entries


def _images(entry: Entry, spec: DatasetSpec) -> int:
    return 0 if entry.image is None else len(entry.image) // math.prod(spec.image_shape)


def _number(label: str, digits: Sequence[Prediction], class_names: Sequence[str]) -> Prediction:
    """The number whose digits are answered so. What was no digit stays none; any other is the likeliest class, however
    doubtful, as in a number."""
    read = "".join(label.split())
    labels = [
        "" if was == NO_DIGIT else class_names[int(np.argmax(digit.probabilities))]
        for was, digit in zip(read, digits, strict=True)
    ]
    likeliest = [digit.probabilities.max() for was, digit in zip(read, digits, strict=True) if was != NO_DIGIT]
    verdict: Verdict = "sure" if all(digit.verdict == "sure" for digit in digits) else "unsure"
    return replace(digits[0], label=with_digits(label, labels), confidence=float(np.prod(likeliest)), verdict=verdict)


def bundle_of_version(settings: Settings, dataset: str, version: str) -> Bundle:
    """The bundle of any version in the registry. Raises RegistryError."""
    return production.export(TrackingStore.of(settings), SPECS[dataset], version)
