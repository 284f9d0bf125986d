from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.inference.predictions import blank
from serving.prediction import many
from serving.prediction.many import predict_many
from serving.uploads.zips import File


class CountingClassifier:
    """Answers with the number of images that it was asked for together."""

    def __init__(self):
        self.bundle = SimpleNamespace(dataset="mnist", class_names=tuple("0123456789"), version="3")
        self.asked = []

    def predict(self, images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28, 1)
        self.asked.append(len(images))
        return [
            replace(blank(self.bundle.class_names, "3"), label="7", verdict="sure", image=image) for image in images
        ]


@pytest.fixture
def counting():
    return CountingClassifier()


def test_one_reading_a_file_in_order_and_errors_stay_where_they_are(counting, seven_png, sheet_png):
    files = [
        File("a.png", seven_png),
        File("b.png", error="It is encrypted."),
        File("c.png", b"no picture"),
        File("d.png", sheet_png),
        File("e.png", seven_png),
    ]
    readings = list(predict_many(counting, files))
    assert [reading.name for reading in readings] == [file.name for file in files]
    assert [reading.prediction and reading.prediction.verdict for reading in readings] == [
        "sure", None, None, "blank", "sure",
    ]  # fmt: skip
    assert readings[1].error == "It is encrypted."
    assert "picture" in readings[2].error
    assert readings[0].prediction.image.any()


def test_the_model_is_asked_for_many_at_once(counting, seven_png):
    files = [File(f"{i}.png", seven_png) for i in range(many.TOGETHER + 3)]
    assert len(list(predict_many(counting, files))) == len(files)
    assert counting.asked == [many.TOGETHER, 3]


def test_pictures_are_prepared_as_the_models_data_set_has_them(photo_classifier, photo_png):
    (reading,) = predict_many(photo_classifier, [File("a.png", photo_png)])
    assert (reading.prediction.label, reading.prediction.image.shape) == ("horse", (32, 32, 3))


def test_files_are_taken_only_as_they_are_needed(counting, seven_png):
    taken = []
    files = (taken.append(i) or File(f"{i}.png", seven_png) for i in range(10 * many.TOGETHER))
    next(predict_many(counting, files))
    assert len(taken) == many.TOGETHER


def test_no_files_give_no_readings(counting):
    assert list(predict_many(counting, [])) == []
    (reading,) = predict_many(counting, [File("a", error="None.")])
    assert reading.prediction is None
    assert counting.asked == []


def test_a_preview_is_made_of_the_pixels(counting, seven_png):
    (reading,) = predict_many(counting, [File("a.png", seven_png)], lambda pixels: pixels.shape)
    assert reading.preview == (100, 100, 4)


def test_pixels_are_bounded_for_the_whole_batch(counting, seven_png):
    files = [File(f"{i}.png", seven_png) for i in range(4)]
    readings = list(predict_many(counting, files, max_pixels=15_000))
    assert [bool(reading.error) for reading in readings] == [False, False, True, True]
    assert "15,000 pixels" in readings[2].error
