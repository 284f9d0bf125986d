from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.inference.litert import CHUNK
from experiments.inference.predictions import blank
from serving.core.errors import Refused
from serving.prediction.predict import predict_many, predict_one
from serving.uploads.zips import UploadedFile

ENCRYPTED = Refused(400, "bad_entry", "It is encrypted.")


class CountingClassifier:
    """Answers 7, and records the number of images in each call."""

    def __init__(self):
        self.bundle = SimpleNamespace(dataset="mnist", class_names=tuple("0123456789"), version="3")
        self.calls = []

    def predict(self, images):
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28, 1)
        self.calls.append(len(images))
        return [
            replace(blank(self.bundle.class_names, "3"), label="7", verdict="sure", image=image) for image in images
        ]


@pytest.fixture
def counting():
    return CountingClassifier()


def test_one_picture_is_answered_and_a_blank_without_the_model(counting, seven_png, sheet_png):
    prediction = predict_one(counting, [seven_png])
    assert (prediction.label, prediction.verdict) == ("7", "sure")
    assert prediction.image.any()
    assert {predict_one(counting, sheets).verdict for sheets in ([], [sheet_png])} == {"blank"}
    assert counting.calls == [1]


def test_one_picture_that_cannot_be_read_is_refused(counting):
    with pytest.raises(Refused, match="picture"):
        predict_one(counting, [b"no picture"])


def test_one_result_a_file_in_order_and_errors_stay_where_they_are(counting, seven_png, sheet_png):
    files = [
        UploadedFile("a.png", seven_png),
        UploadedFile("b.png", error=ENCRYPTED),
        UploadedFile("c.png", b"no picture"),
        UploadedFile("d.png", sheet_png),
        UploadedFile("e.png", seven_png),
    ]
    results = list(predict_many(counting, files))
    assert [result.name for result in results] == [file.name for file in files]
    assert [result.prediction and result.prediction.verdict for result in results] == [
        "sure", None, None, "blank", "sure",
    ]  # fmt: skip
    assert results[1].error is ENCRYPTED
    assert (results[2].error.status, results[2].error.code) == (400, "bad_image")
    assert results[0].prediction.image.any()


def test_the_model_is_asked_for_many_at_once(counting, seven_png):
    files = [UploadedFile(f"{i}.png", seven_png) for i in range(CHUNK + 3)]
    assert len(list(predict_many(counting, files))) == len(files)
    assert counting.calls == [CHUNK, 3]


def test_pictures_are_prepared_as_the_models_data_set_has_them(photo_classifier, photo_png):
    (result,) = predict_many(photo_classifier, [UploadedFile("a.png", photo_png)])
    assert (result.prediction.label, result.prediction.image.shape) == ("horse", (32, 32, 3))


def test_files_are_taken_only_as_they_are_needed(counting, seven_png):
    taken = []
    files = (taken.append(i) or UploadedFile(f"{i}.png", seven_png) for i in range(10 * CHUNK))
    next(predict_many(counting, files))
    assert len(taken) == CHUNK


def test_no_files_give_no_results(counting):
    assert list(predict_many(counting, [])) == []
    (result,) = predict_many(counting, [UploadedFile("a", error=ENCRYPTED)])
    assert result.prediction is None
    assert counting.calls == []


def test_a_preview_is_made_of_the_pixels(counting, seven_png):
    (result,) = predict_many(counting, [UploadedFile("a.png", seven_png)], lambda pixels: pixels.shape)
    assert result.preview == (100, 100, 4)


def test_pixels_are_bounded_for_the_whole_batch(counting, seven_png):
    files = [UploadedFile(f"{i}.png", seven_png) for i in range(4)]
    results = list(predict_many(counting, files, max_pixels=15_000))
    assert [bool(result.error) for result in results] == [False, False, True, True]
    assert "15,000 pixels" in results[2].error.message
