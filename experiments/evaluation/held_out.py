"""Held-out data of each data set, never trained on: to calibrate models on, and to evaluate them on."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import DatasetSpec, Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation import calibration
from experiments.evaluation import drawings as drawn
from experiments.evaluation.drawings import PreparedDrawings
from experiments.inference.predictions import Thresholds
from experiments.inference.tta import Model, predict_with_tta, refine_with_tta

if TYPE_CHECKING:
    import keras

CALIBRATION_DRAWINGS, EVALUATION_DRAWINGS = 3_000, 2_000
SEED = 2_718_281  # far from any run's


@dataclass(frozen=True, eq=False)
class HeldOut:
    """`calibration` includes the validation split; `rivals` are drawings of what the data set's rivals are, for their
    thresholds alone. Drawings and non-digits are for evaluation alone; None where the data set's models have no reject
    class."""

    calibration: Split
    drawings: PreparedDrawings | None
    non_digits: Split | None
    rivals: Split | None = None


def prepare(
    dataset: Dataset, calibration_drawings: int = CALIBRATION_DRAWINGS, evaluation_drawings: int = EVALUATION_DRAWINGS
) -> HeldOut:
    """Generate the held-out data of a data set, the same on every call. Without a reject class, calibration gets
    outlier photos, of which the model should be unsure."""
    if not dataset.spec.has_reject_class:
        outliers = synthesise(Amounts(outlier_photos=calibration_drawings // 3), dataset, SEED)
        return HeldOut(join(dataset.validation, outliers), None, None)
    digits = drawn.put_on_pad(drawn.generate(calibration_drawings, SEED), drawn.Layout(), SEED)
    non_digits = synthesise(Amounts(non_digits=calibration_drawings // 3), dataset, SEED)
    rivals = [int(rival) for _, rival in dataset.spec.rivals]
    alike = drawn.put_on_pad(drawn.generate(calibration_drawings, SEED + 2, rivals), drawn.Layout(), SEED + 2)
    return HeldOut(
        calibration=join(dataset.validation, Split(digits.images, digits.labels), non_digits),
        drawings=generate_drawings(evaluation_drawings),
        non_digits=synthesise(Amounts(non_digits=evaluation_drawings), dataset, SEED + 1),
        rivals=Split(alike.images, alike.labels),
    )


def generate_drawings(count: int = EVALUATION_DRAWINGS) -> PreparedDrawings:
    """Generate the digits that models are evaluated on, the same on every call."""
    return drawn.put_on_pad(drawn.generate(count, SEED + 1), drawn.Layout(), SEED + 1)


def calibrate(model: "keras.Model", held_out: HeldOut, spec: DatasetSpec) -> Thresholds:
    """Calibrate the model's probabilities in its own weights, then fit the thresholds of its verdicts."""
    images, labels = held_out.calibration.images, held_out.calibration.labels
    outputs, with_output = as_function(model)(images), labels < spec.outputs
    temperature = calibration.fit_temperature(outputs[with_output], labels[with_output])
    calibration.apply_temperature(model, temperature)
    return fit_thresholds(as_function(model), held_out, spec, calibration.at_temperature(outputs, temperature))


def fit_thresholds(model: Model, held_out: HeldOut, spec: DatasetSpec, outputs: np.ndarray | None = None) -> Thresholds:
    """Fit the thresholds of a calibrated model's verdicts. outputs: its outputs for the calibration images, without
    test-time augmentation, where they are known."""
    images, labels = held_out.calibration.images, held_out.calibration.labels
    outputs = refine_with_tta(model, images, model(images) if outputs is None else outputs, spec.views)
    thresholds = calibration.fit_thresholds(outputs, labels, spec)
    if held_out.rivals is None:
        return thresholds
    outputs = np.concatenate([outputs, predict_with_tta(model, held_out.rivals.images, spec.views)])
    labels = np.concatenate([labels, held_out.rivals.labels])
    return replace(thresholds, rivals=calibration.fit_rivals(outputs, labels, spec, thresholds.refuse))


def as_function(model: "keras.Model") -> Model:
    """A Keras model as a function of images, without test-time augmentation."""
    model.jit_compile = False  # XLA would compile it for each size of a batch, which takes longer than the answers
    return partial(model.predict, batch_size=500, verbose=0)
