"""Sheets read in one process, with a model that knows widths only."""

import cv2
import numpy as np

from experiments.data.specs import SPECS
from experiments.inference.predictions import Prediction, blank
from experiments.numbers.sheets import read_sheet

SPEC = SPECS["mnist"]


class Bars:
    """Takes an upright bar for a sure 1, and all else for no digit; notes how many images it was asked about."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.images: list[list[np.ndarray]] = []

    def __call__(self, images):
        self.asked.append(len(images))
        self.images.append(images)
        return [self.predict(image) for image in images]

    def predict(self, image):
        if image is None:
            return blank(SPEC.class_names, "1")
        probabilities = np.zeros(10, np.float32)
        if np.ptp(np.flatnonzero(image.max((0, 2)) > 128)) > 8:
            return Prediction("", 0.0, probabilities, "rejected", (), "1", image)
        probabilities[1] = 0.9999
        return Prediction("1", 0.9999, probabilities, "sure", (), "1", image)


def bars(*places):
    sheet = np.full((120, 400), 255, np.uint8)
    for x in places:
        cv2.line(sheet, (x, 20), (x, 100), 0, 8)
    return sheet


def test_one_sure_digit_is_answered_at_once() -> None:
    model = Bars()
    answer = read_sheet(bars(50), model, SPEC)
    assert (answer.label, answer.digits, model.asked) == ("1", (), [1])


def test_a_number_is_read_where_one_digit_is_not_sure() -> None:
    model = Bars()
    answer = read_sheet(bars(50, 120, 200), model, SPEC)
    assert (answer.label, answer.verdict) == ("111", "sure")
    assert len(model.asked) == 2
    assert model.asked[1] <= 3  # each mark once, and no two of them together


def test_an_empty_sheet_is_blank() -> None:
    assert read_sheet(bars(), Bars(), SPEC).verdict == "blank"


def test_more_than_numbers_is_rejected_though_no_mark_of_it_is_one_digit() -> None:
    sheet = np.full((900, 900), 255, np.uint8)
    for x in range(10, 900, 20):
        for y in range(10, 900, 20):
            cv2.circle(sheet, (x, y), 5, 0, cv2.FILLED)
    model = Bars()
    answer = read_sheet(sheet, model, SPEC)
    assert model.asked == [1]
    assert (answer.label, answer.verdict, answer.digits) == ("", "rejected", ())


def test_the_second_split_asks_about_new_images_only() -> None:
    sheet = bars(50, 120)
    cv2.rectangle(sheet, (200, 20), (250, 100), 0, 8)  # wide enough to be cut at the second split only
    model = Bars()
    read_sheet(sheet, model, SPEC)
    assert len(model.asked) == 3
    images = np.concatenate(model.images[1:])
    assert len({image.tobytes() for image in images}) == len(images)
