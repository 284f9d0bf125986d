"""What a person is told about the pictures they sent: one function for pad, upload and API."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from experiments.preprocessing import decode_image

if TYPE_CHECKING:
    from experiments.inference import Prediction
    from model_loader import Classifier

WORDS = {"blank": "Nothing drawn yet. Draw a digit from 0 to 9, then press Submit."}  # verdicts that name no digit


@dataclass(frozen=True)
class Answer:
    """`label`: class name -> probability, or a sentence when no digit can be named. `seen`: uint8 [H, W], the
    image the model was given, None if it was given none. `note`: which model answers and how fast. `prediction`: what
    all that is made from, None if nothing was sent."""

    label: dict[str, float] | str
    seen: np.ndarray | None
    note: str
    prediction: "Prediction | None" = None
    milliseconds: float = 0.0


def answer(classifier: "Classifier", sheets: list[bytes]) -> Answer:
    """sheets: encoded pictures of one drawing, the lowest first; none is a blank pad. Raises ImageError."""
    if not sheets:
        return Answer(WORDS["blank"], None, note(classifier))
    started = time.perf_counter()
    prediction = classifier.classify(flatten([decode_image(sheet) for sheet in sheets]))
    seconds = time.perf_counter() - started
    probabilities = zip(classifier.bundle.class_names, prediction.probabilities.tolist(), strict=True)
    label = WORDS.get(prediction.verdict) or dict(probabilities)
    seen = None if prediction.image is None else prediction.image.squeeze()
    return Answer(label, seen, note(classifier, seconds), prediction, 1000 * seconds)


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
