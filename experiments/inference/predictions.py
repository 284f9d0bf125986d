"""Predict images: labels, confidences and verdicts from a model's outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments.data.specs import DatasetSpec
from experiments.inference.tta import Model, predict_with_tta
from experiments.preprocessing.scaling import Box

Verdict = Literal["sure", "unsure", "rejected", "blank"]
"""One answer; two candidates; none, since the image shows none of the classes; none, since nothing is drawn."""


@dataclass(frozen=True)
class Rival:
    """A class that people write almost like another: where it comes second with a probability above this, the answer is
    unsure, however probable."""

    answer: str
    rival: str
    above: float


@dataclass(frozen=True)
class Thresholds:
    """Of the label's probability, from which an answer is sure; of the reject class's, above which it is rejected; and
    of the probabilities of rivals."""

    sure: float = 0.0
    refuse: float = 1.0
    rivals: tuple[Rival, ...] = ()


@dataclass(frozen=True, eq=False)
class Prediction:
    """The answer for one image. Rejected and blank ones have label "" and confidence 0; a blank one has zero
    probabilities and no image.

    A number is answered as a whole: its label has a line for each row, with ? for what is no digit; it has zero
    probabilities, and its image is those of its digits, one below another.
    """

    label: str
    confidence: float  # probability of the label, 0 to 1
    probabilities: np.ndarray  # float32 [K], in the order of class_names; the rest up to 1 is the reject class's
    verdict: Verdict
    candidates: tuple[str, ...]  # the two most likely labels of an unsure answer, else empty
    model_version: str
    image: np.ndarray | None  # uint8 [H, W, C], preprocessed
    digits: tuple["Digit", ...] = ()  # of a number, in reading order; of anything else empty
    box: Box | None = None  # of one digit, in px of the picture as it was sent, where that is known

    @property
    def reject_probability(self) -> float:
        """The probability, 0 to 1, that the image shows none of the classes."""
        return max(0.0, 1 - float(self.probabilities.sum()))

    @property
    def located(self) -> tuple["Digit", ...]:
        """The digits of a number, or the one digit where its place is known."""
        if self.digits or self.box is None or not self.label:
            return self.digits
        return (Digit(self.box, self),)


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit of a number, or what is none beside them: where it is, in px of the picture as it was sent, and its own
    answer."""

    box: Box
    answer: Prediction


def predict(
    model: Model, images: np.ndarray, spec: DatasetSpec, thresholds: Thresholds, version: str = ""
) -> list[Prediction]:
    """Predict images uint8 [N, H, W, C] with test-time augmentation."""
    return predictions(images, predict_with_tta(model, images, spec.views), spec.class_names, thresholds, version)


def predictions(
    images: np.ndarray, outputs: np.ndarray, class_names: tuple[str, ...], thresholds: Thresholds, version: str
) -> list[Prediction]:
    """Predictions for images uint8 [N, H, W, C] from a model's outputs float32 [N, >= K], the K classes first."""
    probabilities = outputs[:, : len(class_names)]
    rejected = outputs[:, len(class_names) :].sum(axis=1) > thresholds.refuse
    limits = {(pair.answer, pair.rival): pair.above for pair in thresholds.rivals}
    answers = []
    for row, reject, (best, second), image in zip(
        probabilities, rejected, likeliest(probabilities), images, strict=True
    ):
        limit = limits.get((class_names[best], class_names[second]), 1.0)
        sure = not reject and row[best] >= thresholds.sure and row[second] <= limit
        answers.append(
            Prediction(
                label="" if reject else class_names[best],
                confidence=0.0 if reject else float(row[best]),
                probabilities=row,
                verdict="rejected" if reject else "sure" if sure else "unsure",
                candidates=() if reject or sure else (class_names[best], class_names[second]),
                model_version=version,
                image=image,
            )
        )
    return answers


def likeliest(probabilities: np.ndarray) -> list[tuple[int, int]]:
    """The two most probable classes of each row of float [N, K]."""
    return [(best, second) for best, second in np.argsort(-probabilities, axis=1, kind="stable")[:, :2].tolist()]


def with_blanks(
    images: Sequence[np.ndarray | None],
    predict_inked: Callable[[np.ndarray], Sequence[Prediction]],
    class_names: tuple[str, ...],
    version: str,
) -> list[Prediction]:
    """Predict images uint8 [H, W, C]; None stands for a blank, which the model is not asked about. predict_inked: of
    images uint8 [N, H, W, C]."""
    inked = [image for image in images if image is not None]
    answers = iter(predict_inked(np.stack(inked)) if inked else ())
    return [blank(class_names, version) if image is None else next(answers) for image in images]


def blank(class_names: tuple[str, ...], version: str) -> Prediction:
    """The prediction for an empty canvas."""
    return Prediction("", 0.0, np.zeros(len(class_names), np.float32), "blank", (), version, None)
