"""Answers of an exported model: images in, predictions out. On LiteRT: serving needs no TensorFlow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.inference.tta import Model, predict_with_tta

if TYPE_CHECKING:
    from experiments.data.specs import DatasetSpec


Verdict = Literal["sure", "unsure", "rejected", "blank"]
"""Whether there is an answer: yes; one of two; no, it shows none of the classes; no, it shows nothing at all."""


@dataclass(frozen=True)
class Thresholds:
    """Where verdicts part: sure from this probability of the label up; refused above this probability of none."""

    sure: float = 0.0
    refuse: float = 1.0


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one image. Refused and blank ones have label "" and no confidence in it; a blank has
    zeros for probabilities and no image."""

    label: str
    confidence: float  # probability of the label, 0 to 1
    probabilities: np.ndarray  # float32 [K], in the order of the class names; what is missing to 1 is none of them
    verdict: Verdict
    candidates: tuple[str, ...]  # the two most likely labels of an unsure answer, else none
    model_version: str
    image: np.ndarray | None  # uint8 [H, W, C], what the model saw


def predict(
    model: Model, images: np.ndarray, spec: "DatasetSpec", thresholds: Thresholds, version: str = ""
) -> list[Prediction]:
    """What people are told of images, uint8 [N, H, W, C], the doubtful ones looked at again."""
    return predictions(images, predict_with_tta(model, images, spec.views), spec.class_names, thresholds, version)


def predictions(
    images: np.ndarray, outputs: np.ndarray, class_names: tuple[str, ...], thresholds: Thresholds, version: str
) -> list[Prediction]:
    """images: uint8 [N, H, W, C]; outputs: float32 [N, >= K] of the model; the first K are the classes."""
    probabilities = outputs[:, : len(class_names)]
    none = outputs[:, len(class_names) :].sum(axis=1)
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    answers = []
    for row, refused, (best, second), image in zip(
        probabilities, none > thresholds.refuse, ranked.tolist(), images, strict=True
    ):
        sure = not refused and row[best] >= thresholds.sure
        answers.append(
            Prediction(
                label="" if refused else class_names[best],
                confidence=0.0 if refused else float(row[best]),
                probabilities=row,
                verdict="rejected" if refused else "sure" if sure else "unsure",
                candidates=() if refused or sure else (class_names[best], class_names[second]),
                model_version=version,
                image=image,
            )
        )
    return answers


def blank(class_names: tuple[str, ...], version: str) -> Prediction:
    """The answer to an empty canvas."""
    return Prediction("", 0.0, np.zeros(len(class_names), np.float32), "blank", (), version, None)
