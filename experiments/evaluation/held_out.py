"""What every model of a data set is asked once it is trained: drawings and no digits that none was trained on."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import DatasetSpec, Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation import calibration
from experiments.evaluation import drawings as drawn
from experiments.evaluation.calibration import Sample
from experiments.evaluation.drawings import Outcome
from experiments.inference.predictions import Thresholds, predict
from experiments.inference.tta import Model, look

if TYPE_CHECKING:
    import keras

PRACTICE, QUESTIONS = 3_000, 2_000  # drawings to calibrate on, and to be judged by
SEED = 2_718_281  # far from any run's


@dataclass(frozen=True, eq=False)
class HeldOut:
    """calibration: what calibration is fitted on, validation among it. The rest is for the score alone."""

    calibration: Split
    drawings: drawn.Sheets | None
    non_digits: Split | None


def prepare(dataset: Dataset, practice: int = PRACTICE, questions: int = QUESTIONS) -> HeldOut:
    """The same each time. Data sets whose models refuse nothing are judged by their own images alone, and calibrated
    with what they should be unsure of."""
    if not dataset.spec.refuses:
        strangers = synthesise(Amounts(strangers=practice // 3), dataset, SEED)
        return HeldOut(join(dataset.validation, strangers), None, None)
    digits = drawn.put_on_pad(drawn.generate(practice, SEED), drawn.Layout(), SEED)
    others = synthesise(Amounts(negatives=practice // 3), dataset, SEED)
    pooled = join(dataset.validation, Split(digits.images, digits.labels), others)
    return HeldOut(pooled, drawings(questions), synthesise(Amounts(negatives=questions), dataset, SEED + 1))


def drawings(count: int = QUESTIONS) -> drawn.Sheets:
    """What models are judged by, the same each time."""
    return drawn.put_on_pad(drawn.generate(count, SEED + 1), drawn.Layout(), SEED + 1)


def calibrate(model: "keras.Model", exam: HeldOut, spec: DatasetSpec) -> Thresholds:
    """Makes the model's probabilities mean what they say, by its own weights, and finds where the verdicts part."""
    practice = exam.calibration
    answerable = practice.labels < spec.outputs
    first = asked(model)(practice.images[answerable])
    calibration.cool(model, calibration.temperature(Sample(first, practice.labels[answerable])))
    return calibration.thresholds(Sample(outputs(model, practice.images, spec), practice.labels), spec)


def sit(model: "keras.Model", exam: HeldOut, thresholds: Thresholds, spec: DatasetSpec) -> Outcome | None:
    """What the calibrated model made of the drawings; None where there are none."""
    return None if exam.drawings is None else grade(model, exam.drawings, thresholds, spec)


def grade(model: "keras.Model", sheets: drawn.Sheets, thresholds: Thresholds, spec: DatasetSpec) -> Outcome:
    """What it made of these."""
    return drawn.score(sheets, predict(asked(model), sheets.images, spec, thresholds))


def refused(model: "keras.Model", exam: HeldOut, thresholds: Thresholds, spec: DatasetSpec) -> float:
    """The share, 0 to 1, of no digits that are refused; nan where there are none."""
    if exam.non_digits is None:
        return float("nan")
    answers = predict(asked(model), exam.non_digits.images, spec, thresholds)
    return float(np.mean([answer.label == "" for answer in answers]))


def outputs(model: "keras.Model", images: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """images: uint8 [N, H, W, C]. Returns float32 [N, K] as whoever serves the model would have them."""
    return look(asked(model), images, spec.views)


def asked(model: "keras.Model") -> Model:
    """What the model makes of images at first sight."""
    return partial(model.predict, batch_size=500, verbose=0)
