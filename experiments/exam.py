"""What every model of a data set is asked once it is trained: drawings and no digits that none was trained on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments import calibration, drawn
from experiments.calibration import Sample
from experiments.datasets import Dataset, DatasetSpec, Split, join
from experiments.drawn import Outcome
from experiments.inference import Thresholds, predictions
from experiments.synthesis import Amounts, synthesise

if TYPE_CHECKING:
    import keras

PRACTICE, QUESTIONS = 3_000, 2_000  # drawings to calibrate on, and to be judged by
SEED = 2_718_281  # far from any run's


@dataclass(frozen=True, eq=False)
class Exam:
    """practice: what calibration is fitted on, validation among it. The rest is for the score alone."""

    practice: Split
    drawings: drawn.Sheets | None
    negatives: Split | None


def prepare(dataset: Dataset, practice: int = PRACTICE, questions: int = QUESTIONS) -> Exam:
    """The same each time. Data sets whose models refuse nothing are judged by their own images alone, and calibrated
    with what they should be unsure of."""
    if not dataset.spec.refuses:
        strangers = synthesise(Amounts(strangers=practice // 3), dataset, SEED)
        return Exam(join(dataset.validation, strangers), None, None)
    digits = drawn.put_on_pad(drawn.generate(practice, SEED), drawn.Layout(), SEED)
    others = synthesise(Amounts(negatives=practice // 3), dataset, SEED)
    pooled = join(dataset.validation, Split(digits.images, digits.labels), others)
    return Exam(pooled, drawings(questions), synthesise(Amounts(negatives=questions), dataset, SEED + 1))


def drawings(count: int = QUESTIONS) -> drawn.Sheets:
    """What models are judged by, the same each time."""
    return drawn.put_on_pad(drawn.generate(count, SEED + 1), drawn.Layout(), SEED + 1)


def calibrate(model: "keras.Model", exam: Exam, spec: DatasetSpec) -> Thresholds:
    """Makes the model's probabilities mean what they say, by its own weights, and finds where the verdicts part."""
    practice = exam.practice
    answerable = practice.labels < spec.outputs
    sample = Sample(_outputs(model, practice.images[answerable]), practice.labels[answerable])
    calibration.cool(model, calibration.temperature(sample))
    return calibration.thresholds(Sample(_outputs(model, practice.images), practice.labels), spec)


def sit(model: "keras.Model", exam: Exam, thresholds: Thresholds, class_names: tuple[str, ...]) -> Outcome | None:
    """What the calibrated model made of the drawings; None where there are none."""
    if exam.drawings is None:
        return None
    images = exam.drawings.images
    return drawn.score(exam.drawings, predictions(images, _outputs(model, images), class_names, thresholds, ""))


def refused(model: "keras.Model", exam: Exam, thresholds: Thresholds, class_names: tuple[str, ...]) -> float:
    """The share, 0 to 1, of no digits that are refused; nan where there are none."""
    if exam.negatives is None:
        return float("nan")
    images = exam.negatives.images
    answers = predictions(images, _outputs(model, images), class_names, thresholds, "")
    return float(np.mean([answer.label == "" for answer in answers]))


def _outputs(model: "keras.Model", images: np.ndarray) -> np.ndarray:
    return model.predict(images, batch_size=500, verbose=0)
