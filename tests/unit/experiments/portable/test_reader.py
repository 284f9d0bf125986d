import base64

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from experiments.data.specs import SPECS
from experiments.portable import reader as readers
from experiments.preprocessing.drawings import prepare_drawing
from settings import Settings
from tests.helpers.numbers import sevens
from tests.helpers.pictures import encoded

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def reader():
    return readers.load(Settings().models_dir / "mnist")


def bar():
    """A one: uint8 [200, 200]."""
    sheet = np.full((200, 200), 255, np.uint8)
    sheet[30:170, 92:106] = 0
    return sheet


def read(reader, **columns):
    return reader.predict(pd.DataFrame(columns)).to_dict("records")


@pytest.mark.parametrize("given", [bytes, bytearray, lambda data: base64.b64encode(data).decode()])
def test_an_encoded_picture_is_read(reader, given):
    (row,) = read(reader, image=[given(encoded(bar()))])
    assert (row["label"], row["text"], row["verdict"], row["error"]) == ("1", "1", "sure", None)
    assert row["confidence"] == row["confidences"]["1"] > 0.9
    assert list(row["confidences"]) == list("0123456789")


@pytest.mark.parametrize("given", [np.asarray, np.ndarray.tolist, lambda image: np.array([*image, None], object)[:-1]])
def test_a_prepared_image_is_read_like_the_picture(reader, given):
    image = prepare_drawing(bar())[..., 0]
    (prepared,), (picture,) = read(reader, pixels=[given(image)]), read(reader, image=[encoded(bar())])
    assert [digit["box"] for digit in picture.pop("digits")] == [[92, 30, 106, 170]]
    assert prepared == picture | {"digits": []}


def test_a_number_is_told_digit_by_digit(reader):
    (row,) = read(reader, image=[sevens(2, 1)])
    assert row["label"] == row["text"] == "77\n7"
    assert row["confidences"] == {}
    assert [digit["label"] for digit in row["digits"]] == ["7", "7", "7"]
    assert row["digits"][0].keys() == {"box", "label", "verdict", "confidence", "candidates"}


def test_boxes_are_in_px_of_a_large_picture_as_sent(reader):
    sheet = np.full((3000, 3600), 255, np.uint8)
    sheet[400:2400, 900:1040] = sheet[400:2400, 2300:2440] = 0
    (row,) = read(reader, image=[encoded(sheet, "JPEG")])
    assert row["text"] == "11"
    assert row["digits"][1]["box"] == pytest.approx([2300, 400, 2440, 2400], abs=40)


@pytest.mark.parametrize("dataset", SPECS)
def test_what_holds_nothing_is_blank(dataset):
    reader, shape = readers.load(Settings().models_dir / dataset), SPECS[dataset].image_shape
    image = np.zeros(shape if shape[2] > 1 else shape[:2], np.uint8)
    rows = read(reader, image=[encoded(np.full((50, 50, 3), 255, np.uint8)), None], pixels=[None, image])
    assert [row["verdict"] for row in rows] == ["blank", "blank"]
    assert set(rows[0]["confidences"].values()) == {0.0}


def test_a_photo_is_read():
    reader = readers.load(Settings().models_dir / "cifar10")
    photo = RNG.integers(0, 256, (32, 32, 3), np.uint8)
    rows = read(reader, image=[encoded(photo), None], pixels=[None, photo])
    assert rows[0] == rows[1]
    assert list(rows[0]["confidences"]) == list(SPECS["cifar10"].class_names)
    assert rows[0]["error"] is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"image": b"junk"}, "not a picture"),
        ({"image": b""}, "picture is empty"),
        ({"image": "no base64!"}, "no encoded picture"),
        ({"image": 7}, "no encoded picture"),
        ({"image": encoded(bar())[:200]}, "damaged or incomplete"),
        ({"pixels": [[0] * 28] * 27}, "28 × 28 whole numbers"),
        ({"pixels": [[0] * 28] * 27 + [[0] * 27]}, "28 × 28 whole numbers"),
        ({"pixels": [[0.5] * 28] * 28}, "28 × 28 whole numbers"),
        ({"pixels": [[256] * 28] * 28}, "28 × 28 whole numbers"),
        ({"pixels": 7}, "28 × 28 whole numbers"),
        ({}, "either image or pixels"),
        ({"image": encoded(bar()), "pixels": [[0] * 28] * 28}, "either image or pixels"),
    ],
)
def test_a_row_that_can_not_be_read_says_why_and_affects_no_other(reader, row, reason):
    rows = [row, {"image": encoded(bar())}]
    bad, good = reader.predict(pd.DataFrame(rows, columns=["image", "pixels"])).to_dict("records")
    assert reason in bad["error"]
    assert (bad["label"], bad["verdict"], bad["confidence"], bad["digits"]) == (None, "error", 0.0, [])
    assert (good["label"], good["error"]) == ("1", None)


def test_rows_keep_their_index(reader):
    table = pd.DataFrame({"image": [encoded(bar())] * 2}, index=["a", "b"])
    assert list(reader.predict(table).index) == ["a", "b"]


def test_a_table_of_something_else_is_refused(reader):
    with pytest.raises(MlflowException, match="neither a column image nor pixels") as caught:
        reader.predict(pd.DataFrame({"picture": [b""]}))
    assert caught.value.get_http_status_code() == 400
