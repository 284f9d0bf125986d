from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from experiments.inference.predictions import blank
from serving.prediction.predict import predict_images


class CountingClassifier:
    """Answers 7, and records the number of images in each call."""

    def __init__(self):
        self.bundle = SimpleNamespace(dataset="mnist", class_names=tuple("0123456789"), version="3")
        self.calls = []

    def predict(self, images):
        self.calls.append(len(images))
        return [
            replace(blank(self.bundle.class_names, "3"), label="7", verdict="sure", image=image) for image in images
        ]


def test_blanks_are_answered_without_the_model_and_stay_where_they_are():
    counting, image = CountingClassifier(), np.ones((28, 28, 1), np.uint8)
    found = predict_images(counting, [image, None, image])
    assert [prediction.verdict for prediction in found] == ["sure", "blank", "sure"]
    assert counting.calls == [2]
    assert predict_images(counting, [None])[0].verdict == "blank"
    assert counting.calls == [2]
