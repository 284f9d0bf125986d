import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.preprocessing.decoding import decode_image
from experiments.preprocessing.drawings import prepare_drawing
from serving.core.errors import Refused
from serving.prediction.prepare import flatten, prepare_picture


def test_a_picture_is_decoded_and_prepared_as_its_data_set_has_them(seven_png, photo_png):
    digit, photo = prepare_picture("mnist", [seven_png]), prepare_picture("cifar10", [photo_png])
    assert np.array_equal(digit.image, prepare_drawing(decode_image(seven_png)))
    assert digit.pixels.shape == (100, 100, 4)
    assert photo.image.shape == (32, 32, 3)


def test_no_sheet_or_an_empty_one_is_a_blank(sheet_png):
    assert prepare_picture("mnist", []).image is None
    assert prepare_picture("mnist", [sheet_png]).image is None


def test_ink_on_its_own_layer_is_read_as_ink_on_the_sheet(seven_png, sheet_png):
    layered, alone = prepare_picture("mnist", [sheet_png, seven_png]), prepare_picture("mnist", [seven_png])
    assert np.array_equal(layered.image, alone.image)


def test_sheets_of_different_sizes_lie_over_one_another():
    below, above = np.zeros((4, 6, 4), np.uint8), np.full((2, 9, 4), 255, np.uint8)
    flat = flatten([below, above])
    assert flat.shape == below.shape
    assert flat[:2].min() == 255
    assert flat[2:].max() == 0


@pytest.mark.parametrize("side", [8_000, 10_000, 20_000])  # past our own limit, Pillow's warning and Pillow's error
def test_a_decompression_bomb_is_too_large(side):
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    refused = prepare_picture("mnist", [buffer.getvalue()])
    assert (refused.status, refused.code) == (413, "too_large")
    assert str(refused) == "The picture has more than 50,000,000 pixels. Send a smaller one."


@given(st.binary(max_size=200))
def test_bytes_that_are_no_picture_are_refused_in_words(data):
    refused = prepare_picture("mnist", [data])
    assert isinstance(refused, Refused)
    assert (refused.status, refused.code) == (400, "bad_image")
    assert "picture" in refused.message
    assert refused.hint
