"""What a person is told about the pictures they sent: one function for pad, upload and API."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from experiments.inference.predictions import Prediction
from experiments.preprocessing.decoding import decode_image

if TYPE_CHECKING:
    from model_loader import Classifier

BLANK = np.full((1, 1, 4), 255, np.uint8)


@dataclass(frozen=True)
class Answer:
    """`label`: class name -> probability, or a sentence where no class is named. `words`: the verdict, for people.
    `prediction`: all that the model said. `note`: which model answers and how fast."""

    label: dict[str, float] | str
    words: str
    prediction: Prediction
    note: str
    milliseconds: float  # to decode, prepare and infer


def answer(classifier: "Classifier", sheets: list[bytes], sentences: Mapping[str, str]) -> Answer:
    """sheets: encoded pictures of one drawing or photo, the lowest first; none is a blank. sentences: verdict -> what
    is said where no class is named. Raises ImageError."""
    started = time.perf_counter()
    prediction = classifier.classify(flatten([decode_image(sheet) for sheet in sheets]) if sheets else BLANK)
    seconds = time.perf_counter() - started
    probabilities = zip(classifier.bundle.class_names, prediction.probabilities.tolist(), strict=True)
    label = sentences.get(prediction.verdict) or dict(probabilities)
    return Answer(label, verdict_words(prediction), prediction, note(classifier, seconds), 1000 * seconds)


def verdict_words(prediction: Prediction) -> str:
    """The verdict in a few words; a blank and what is refused have said theirs in the label's place."""
    if prediction.verdict == "unsure":
        return f"Not sure: {' or '.join(prediction.candidates)}?"
    return "Sure." if prediction.verdict == "sure" else ""


def flatten(sheets: list[np.ndarray]) -> np.ndarray:
    """sheets: uint8 [H, W, 4] RGBA, laid over one another, the lowest first. Returns uint8 [H, W, 4]."""
    lowest, *above = [Image.fromarray(sheet) for sheet in sheets]
    for sheet in above:
        lowest.alpha_composite(sheet)
    return np.asarray(lowest)


def note(classifier: "Classifier", seconds: float | None = None) -> str:
    """The line under an answer; `seconds` is what decoding, preparing and inferring took."""
    speed = "" if seconds is None else f" Read in {1000 * seconds:.1f} ms."
    return f"Answers come from {classifier.describe()}.{speed}"
