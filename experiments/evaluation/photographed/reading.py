"""Read photographed digits on the whole path that a picture takes, and count the answers by condition."""

import multiprocessing
import os
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from tqdm import tqdm

from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.data.synthesis.generate import begin_process
from experiments.evaluation import drawings as drawn
from experiments.evaluation.drawings import Drawings
from experiments.evaluation.photographed.camera import png
from experiments.evaluation.photographed.conditions import CONDITIONS
from experiments.evaluation.photographed.photograph import Condition, photograph
from experiments.evaluation.photographed.writing import Strokes
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, predict, with_blanks
from experiments.preprocessing.decoding import decode_image

SPEC = SPECS["mnist"]
CHUNK = 50  # pictures per task
Task = tuple[str | None, Sequence[Strokes], tuple[int, int]]
"""A condition's name, or None for the page's pad; digits; the seed and the place of the first."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read in pictures of one condition; None is the page's pad. labels: int64 [N]."""

    condition: Condition | None
    labels: np.ndarray
    predictions: Sequence[Prediction]

    @property
    def correct(self) -> np.ndarray:
        """Whether each label is right, bool [N]; a rejected one is wrong."""
        correct: np.ndarray = np.array([int(prediction.label or -1) for prediction in self.predictions]) == self.labels
        return correct

    def worst(self, count: int) -> list[int]:
        """The places of the most confident mistakes."""
        wrong = np.flatnonzero(~self.correct).tolist()
        return sorted(wrong, key=lambda place: -self.predictions[place].confidence)[:count]

    def shares(self) -> dict[str, float]:
        """Shares, 0 to 1. Surely wrong are those that are sure of another digit; right ones may be unsure."""
        right = self.correct
        verdicts = np.array([prediction.verdict for prediction in self.predictions])
        return {
            "right": float(right.mean()),
            "surely wrong": float(((verdicts == "sure") & ~right).mean()),
            **{verdict: float((verdicts == verdict).mean()) for verdict in ("unsure", "rejected", "blank")},
        }

    @classmethod
    def of_all(cls, readings: Iterable[Self]) -> Self:
        """All of them together."""
        readings = list(readings)
        predictions = [prediction for reading in readings for prediction in reading.predictions]
        return cls(None, np.concatenate([reading.labels for reading in readings]), predictions)


def read(digits: Drawings, bundle: Bundle, names: Sequence[str], seed: int) -> list[Reading]:
    """Read the same digits from the pad, then under each condition. Equal arguments give equal pictures. Raises
    DatasetError for a bundle of another data set."""
    if bundle.dataset != SPEC.name:
        raise DatasetError(f"Digits are photographed, which no model of {bundle.dataset} reads. Leave --dataset out.")
    model = LiteRTModel(bundle.tflite)
    chunks = range(0, len(digits.labels), CHUNK)
    conditions = (None, *names)
    tasks = [(name, digits.strokes[at : at + CHUNK], (seed, at)) for name in conditions for at in chunks]
    images: list[np.ndarray | None] = []
    spawn = multiprocessing.get_context("spawn")
    with (
        tqdm(total=len(conditions) * len(digits.labels), unit="photo", desc="Reading", mininterval=0.5) as progress,
        ProcessPoolExecutor(min(len(tasks), os.cpu_count() or 1), spawn, begin_process) as pool,
    ):
        for prepared in pool.map(_prepare, tasks):
            images += prepared
            progress.update(len(prepared))
    count = len(digits.labels)
    return [
        Reading(
            CONDITIONS[name] if name else None,
            digits.labels,
            _predict(model, images[place * count : (place + 1) * count], bundle),
        )
        for place, name in enumerate(conditions)
    ]


def picture(strokes: Strokes, name: str | None, seed: int, number: int) -> bytes:
    """The picture of the digit of this number, encoded: the same for the same arguments, whatever other conditions
    there are."""
    rng = np.random.default_rng((seed, number, zlib.crc32((name or "").encode())))
    if name:
        return photograph(strokes, CONDITIONS[name], rng)
    sheet = drawn.ink(drawn.place(strokes, rng.uniform(0.3, 0.9), rng), rng.uniform(8, 28))
    return png(np.stack([sheet] * 3, axis=-1))


def _prepare(task: Task) -> list[np.ndarray | None]:
    """Images uint8 [28, 28, 1], None for what is found blank."""
    name, digits, (seed, first) = task
    return [
        SPEC.prepare(decode_image(picture(strokes, name, seed, first + place))) for place, strokes in enumerate(digits)
    ]


def _predict(model: LiteRTModel, images: Sequence[np.ndarray | None], bundle: Bundle) -> list[Prediction]:
    asked = partial(predict, model, spec=SPEC, thresholds=bundle.thresholds)
    return with_blanks(images, asked, SPEC.class_names, bundle.version)
