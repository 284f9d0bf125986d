"""A model that reads sevens alone, pictures of several, and what a number of them is kept as."""

from dataclasses import replace

import numpy as np
from PIL import Image

from experiments.inference.predictions import Digit, Prediction, Thresholds, predictions
from tests.helpers.pictures import encoded

NAMES = tuple("0123456789")
BOTH = np.array([0.0] * 7 + [0.998, 0.0, 0.002, 0.0], np.float32)  # a seven
NONE = np.array([0.005] * 10 + [0.95], np.float32)


class SevensClassifier:
    """Finds a seven in ink that is as high as one digit's, and no digit in wide ink."""

    source, since = "registry", 1_700_000_000.0

    def __init__(self, bundle):
        self.bundle = bundle

    def describe(self):
        return "Test_Model version 3, 99.50 % on the mnist test set"

    def predict(self, images):
        high = (images > 40).any(axis=(2, 3)).sum(1) >= 18
        outputs = np.where(high[:, np.newaxis], BOTH, NONE)
        return predictions(images, outputs, NAMES, Thresholds(0.9, 0.5), self.bundle.version)


def sevens(*rows, gap=30):
    """PNG: so many sevens in each row, 40 px wide and 60 high, in black on white."""
    pixels = np.full((90 * len(rows) + 30, (40 + gap) * max(rows) + 30, 3), 255, np.uint8)
    for row, count in enumerate(rows):
        for place in range(count):
            top, left = 30 + 90 * row, 30 + (40 + gap) * place
            pixels[top : top + 8, left : left + 40] = pixels[top : top + 60, left + 32 : left + 40] = 0
    return encoded(Image.fromarray(pixels), "PNG")


def number(text, verdict="sure", confidence=0.9):
    """The prediction of a number, "?" for what is no digit; the image of its digit n is all n + 1."""
    digits = []
    for place, character in enumerate("".join(text.split())):
        image = np.full((28, 28, 1), place % 255 + 1, np.uint8)
        answer = Prediction(character, 0.95, np.zeros(10, np.float32), "sure", (), "3", image)
        if character == "?":
            answer = replace(answer, label="", confidence=0.0, verdict="rejected")
        digits.append(Digit((10 * place, 0, 10 * place + 8, 20), answer))
    images = np.concatenate([digit.answer.image for digit in digits])
    named = verdict != "rejected"
    return Prediction(
        text if named else "", confidence if named else 0.0, np.zeros(10, np.float32), verdict, (), "3", images,
        tuple(digits),
    )  # fmt: skip
