"""Past pictures asked again: which answers of the history another version would change."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import SPECS, DatasetSpec
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import predict
from serving.storage.records import AnswerFilter, Entry

if TYPE_CHECKING:
    from experiments.inference.bundle import Bundle
    from serving.storage.history import History
    from settings import Settings

PAGE = 1000  # entries at a time


@dataclass(frozen=True)
class ChangedAnswer:
    """An answer that would be another: the kept one, and what the version says. Labels are empty for a refusal."""

    entry: Entry
    label: str
    verdict: str
    confidence: float  # 0 to 1


@dataclass(frozen=True)
class ReplayResult:
    """What came of a replay."""

    version: str
    count: int
    changes: list[ChangedAnswer]


def replay(
    history: "History",
    bundle: "Bundle",
    spec: DatasetSpec,
    since: float,
    until: float | None = None,
    limit: int = 100_000,
) -> ReplayResult:
    """Asks the bundle's model again for the newest `limit` kept answers from `since` on, in seconds since 1970."""
    model, count, changes = LiteRTModel(bundle.tflite), 0, []
    for entries in _pages(history, AnswerFilter(dataset=spec.name, since=since, until=until), limit):
        pixels = b"".join(entry.image or b"" for entry in entries)
        images = np.frombuffer(pixels, np.uint8).reshape(-1, *bundle.input_shape)
        answers = predict(model, images, spec, bundle.thresholds, bundle.version)
        count += len(entries)
        changes += [
            ChangedAnswer(entry, answer.label, answer.verdict, answer.confidence)
            for entry, answer in zip(entries, answers, strict=True)
            if answer.label != entry.label
        ]
    return ReplayResult(bundle.version, count, changes)


def bundle_of_version(settings: "Settings", dataset: str, version: str) -> "Bundle":
    """The model of any version of the registry. Raises RegistryError."""
    from experiments.registry import production
    from experiments.registry.store import TrackingStore

    return production.export(TrackingStore.of(settings), SPECS[dataset], version)


def _pages(history: "History", wanted: AnswerFilter, limit: int) -> Iterator[list[Entry]]:
    """Kept answers with an image, the newest first."""
    while limit > 0 and (found := history.search(wanted, min(PAGE, limit))):
        limit -= len(found)
        wanted = replace(wanted, before=found[-1].id)
        if pictured := [entry for entry in found if entry.image is not None]:
            yield pictured
