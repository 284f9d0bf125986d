"""Read written numbers on the whole path that a picture takes, and count the answers by condition."""

import multiprocessing
import os
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Self

import numpy as np
from tqdm import tqdm

from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.data.synthesis.generate import begin_process
from experiments.evaluation import drawings as drawn
from experiments.evaluation.drawings import Drawings
from experiments.evaluation.metrics import calibration_error
from experiments.evaluation.strings import other_ink
from experiments.evaluation.strings.compose import WrittenString
from experiments.evaluation.strings.conditions import CONDITIONS, Condition
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, Verdict, predict, with_blanks
from experiments.numbers.sheets import Predict, read_sheet

SPEC = SPECS["mnist"]
CHUNK = 10  # sheets per task
GENERATED = 3000  # digits, and letters, to choose from


@dataclass(frozen=True)
class Source:
    """Where characters come from: stroke files, or generated ones for None."""

    strokes: Path | None
    writers: str  # "all", "even" or "odd"
    letters: Path | None
    seed: int

    def digits(self) -> Drawings:
        """Raises DatasetError."""
        return drawn.of_writers(self.strokes, self.writers) if self.strokes else drawn.generate(GENERATED, self.seed)

    def clear_letters(self) -> Drawings:
        """Raises DatasetError."""
        if self.letters:
            return other_ink.clear(drawn.read_strokes(self.letters))
        return other_ink.generate_letters(GENERATED, self.seed)


Task = tuple[str, Source, Path, range]
"""A condition's name, where its characters come from, the folder of the model, and the sheets' numbers."""


@dataclass(frozen=True)
class Outcome:
    """What is on a sheet, and what was read. single: the likeliest digits of each one alone, as text has them."""

    number: int
    text: str
    single: str
    label: str
    confidence: float
    verdict: Verdict

    @property
    def is_right(self) -> bool:
        """Whether all that is on the sheet was read as it is."""
        return self.label == self.text

    @property
    def is_sure(self) -> bool:
        """Whether the answer may be relied on."""
        return self.verdict == "sure"


@dataclass(frozen=True, eq=False)
class Reading:
    """The outcomes of one condition; None stands for several."""

    condition: Condition | None
    outcomes: Sequence[Outcome]

    def shares(self) -> dict[str, float]:
        """Shares, 0 to 1; "single" is of sheets all of whose digits are right one by one; nan of none."""
        right = np.array([outcome.is_right for outcome in self.outcomes])
        sure = np.array([outcome.is_sure for outcome in self.outcomes])
        return {
            "single": float(np.mean([outcome.single == outcome.text for outcome in self.outcomes])),
            "right": float(right.mean()),
            "sure": float(sure.mean()),
            "right of sure": float(right[sure].mean()) if sure.any() else float("nan"),
            "rejected": float(np.mean([outcome.verdict == "rejected" for outcome in self.outcomes])),
        }

    def calibration_error(self) -> float:
        """That of the confidence in what was not rejected, 0 to 1."""
        answered = [outcome for outcome in self.outcomes if outcome.label]
        confidence = np.array([outcome.confidence for outcome in answered])
        return calibration_error(confidence, np.array([outcome.is_right for outcome in answered], bool))

    def worst(self, count: int) -> list[Outcome]:
        """The most confident mistakes, sure ones first."""
        wrong = [outcome for outcome in self.outcomes if not outcome.is_right]
        return sorted(wrong, key=lambda outcome: (-outcome.is_sure, -outcome.confidence))[:count]

    @classmethod
    def of_all(cls, readings: Iterable[Self]) -> Self:
        """All of them together."""
        return cls(None, [outcome for reading in readings for outcome in reading.outcomes])


def read(source: Source, bundle: Bundle, names: Sequence[str], count: int) -> list[Reading]:
    """Read so many sheets under each condition, fewer pages, on all cores. Equal arguments give equal sheets. Raises
    DatasetError for a bundle of another data set and for a file that can't be read."""
    if bundle.dataset != SPEC.name:
        raise DatasetError(f"Numbers have digits, which no model of {bundle.dataset} reads. Leave --dataset out.")
    source.digits(), source.clear_letters()  # or a process would raise what they do
    counts = {name: max(1, count // CONDITIONS[name].fewer) for name in names}
    tasks: list[Task] = [
        (name, source, bundle.folder, range(total)[start : start + CHUNK])
        for name, total in counts.items()
        for start in range(0, total, CHUNK)
    ]
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    spawn = multiprocessing.get_context("spawn")
    with (
        tqdm(total=sum(counts.values()), unit="sheet", desc="Reading", mininterval=0.5) as progress,
        ProcessPoolExecutor(min(len(tasks), os.cpu_count() or 1), spawn, begin_process) as pool,
    ):
        for (name, *_), part in zip(tasks, pool.map(_read, tasks), strict=True):
            outcomes[name] += part
            progress.update(len(part))
    return [Reading(CONDITIONS[name], part) for name, part in outcomes.items()]


def written(source: Source, name: str, number: int) -> WrittenString:
    """The sheet of this number: the same for the same arguments, whatever other conditions there are."""
    digits, letters = _characters(source)
    rng = np.random.default_rng((source.seed, number, zlib.crc32(name.encode())))
    return CONDITIONS[name].write(digits, letters, rng)


def outcome_of(number: int, sheet: WrittenString, is_word: bool, predict: Predict) -> Outcome:
    """Read one sheet. A word's text is that of a rejected sheet."""
    alone = predict([SPEC.prepare(digit) for digit in sheet.alone])
    likeliest = iter(SPEC.class_names[answer.probabilities.argmax()] for answer in alone)
    single = "".join(next(likeliest) if character.isdigit() else character for character in sheet.text)
    answer = read_sheet(sheet.sheet, predict, SPEC)
    text, single = ("", "") if is_word else (sheet.text, single)
    return Outcome(number, text, single, answer.label, answer.confidence, answer.verdict)


def _read(task: Task) -> list[Outcome]:
    name, source, folder, numbers = task
    return [
        outcome_of(number, written(source, name, number), CONDITIONS[name].is_word, _predict_of(folder))
        for number in numbers
    ]


@cache
def _characters(source: Source) -> tuple[Drawings, Drawings]:
    return source.digits(), source.clear_letters()


@cache
def _predict_of(folder: Path) -> Predict:
    bundle = bundles.read(folder)
    return partial(_predict, LiteRTModel(bundle.tflite), bundle)


def _predict(model: LiteRTModel, bundle: Bundle, images: Sequence[np.ndarray | None]) -> list[Prediction]:
    asked = partial(predict, model, spec=SPEC, thresholds=bundle.thresholds, version=bundle.version)
    return with_blanks(images, asked, SPEC.class_names, bundle.version)
