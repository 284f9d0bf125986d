import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from experiments.preprocessing.decoding import decode_image
from experiments.preprocessing.drawings import prepare_drawing
from serving.core.errors import Refused
from serving.prediction.prepare import MAX_SHEETS, Wanted, flatten, prepare_picture
from tests.helpers.pictures import png_of_size

DIGIT, PHOTO = Wanted("mnist"), Wanted("cifar10")


def encoded(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_is_decoded_and_prepared_as_its_data_set_has_them(seven_png, photo_png):
    digit, photo = prepare_picture(DIGIT, [seven_png]), prepare_picture(PHOTO, [photo_png])
    assert np.array_equal(digit.image, prepare_drawing(decode_image(seven_png)))
    assert digit.preview == b""
    assert photo.image.shape == (32, 32, 3)


def test_no_sheet_or_an_empty_one_is_a_blank(sheet_png):
    assert prepare_picture(DIGIT, []).image is None
    assert prepare_picture(DIGIT, [sheet_png]).image is None


def test_ink_on_its_own_layer_is_read_as_ink_on_the_sheet(seven_png, sheet_png):
    layered, alone = prepare_picture(DIGIT, [sheet_png, seven_png]), prepare_picture(DIGIT, [seven_png])
    assert np.array_equal(layered.image, alone.image)


def test_sheets_of_different_sizes_lie_over_one_another():
    below, above = np.zeros((4, 6, 4), np.uint8), np.full((2, 9, 4), 255, np.uint8)
    flat = flatten([encoded(below), encoded(above)])
    assert flat.shape == below.shape
    assert flat[:2].min() == 255
    assert flat[2:].max() == 0


@pytest.mark.parametrize("side", [8_000, 10_000, 20_000])  # past our own limit, Pillow's warning and Pillow's error
def test_a_decompression_bomb_is_too_large(side):
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    refused = prepare_picture(DIGIT, [buffer.getvalue()])
    assert (refused.status, refused.code) == (413, "too_large")
    assert str(refused) == "The picture has more than 50,000,000 pixels. Send a smaller one."


@given(st.binary(max_size=200))
def test_bytes_that_are_no_picture_are_refused_in_words(data):
    refused = prepare_picture(DIGIT, [data])
    assert isinstance(refused, Refused)
    assert (refused.status, refused.code) == (400, "bad_image")
    assert "picture" in refused.message
    assert refused.hint


def test_of_a_moving_picture_the_first_frame_is_read():
    moving = io.BytesIO()
    first, second = (Image.fromarray(np.full((30, 30, 3), shade, np.uint8)) for shade in (0, 255))
    first.putpixel((15, 15), (255, 255, 255))
    first.save(moving, "PNG", save_all=True, append_images=[second])
    still = prepare_picture(PHOTO, [encoded(np.asarray(first))]).image
    assert np.array_equal(prepare_picture(PHOTO, [moving.getvalue()]).image, still)


def test_layers_and_their_pixels_together_are_bounded_before_any_is_decoded(sheet_png):
    assert prepare_picture(DIGIT, [sheet_png] * MAX_SHEETS).image is None
    refused = prepare_picture(DIGIT, [sheet_png] * (MAX_SHEETS + 1))
    assert (refused.status, refused.code) == (413, "too_large")
    refused = prepare_picture(DIGIT, [png_of_size(5100, 5000)] * 2)
    assert (refused.status, refused.code) == (413, "too_large")
    assert "together" in refused.message


def test_a_preview_is_small_and_on_white(seven_png):
    prepared = prepare_picture(Wanted("mnist", preview=50), [seven_png])
    with Image.open(io.BytesIO(prepared.preview)) as preview:
        assert (preview.size, preview.mode, preview.getpixel((0, 0))) == ((50, 50), "RGB", (255, 255, 255))


def test_the_image_of_an_answer_comes_back_as_it_is_and_nothing_else(seven_png):
    for wanted, shape in ((Wanted("mnist", answered=True), (28, 28)), (Wanted("cifar10", answered=True), (32, 32, 3))):
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        assert np.array_equal(prepare_picture(wanted, [encoded(image)]).image.squeeze(), image)
        assert prepare_picture(wanted, [seven_png]).code == "no_answer"


def large_jpeg(left, top, right, bottom):
    """JPEG of 4,000 x 3,000 px with a black stroke on white, which is decoded at a quarter of its size."""
    pixels, buffer = np.full((3000, 4000), 255, np.uint8), io.BytesIO()
    pixels[top:bottom, left:right] = 0
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_preview_comes_with_the_size_of_what_was_sent(seven_png):
    assert prepare_picture(DIGIT, [seven_png]).size == (0, 0)
    assert prepare_picture(Wanted("mnist", preview=50), [seven_png]).size == (100, 100)
    large = prepare_picture(Wanted("mnist", preview=50), [large_jpeg(1000, 1000, 1200, 2000)])
    assert large.size == (4000, 3000)


@pytest.mark.parametrize("size", [(4001, 3001), (3001, 4001)])
def test_a_large_jpeg_of_an_odd_size_has_its_boxes_within(size):
    pixels, buffer = np.full((size[1], size[0]), 255, np.uint8), io.BytesIO()
    pixels[800:1600, 400:500] = pixels[-1200:, -100:] = 0
    Image.fromarray(pixels).save(buffer, "JPEG")
    assert prepare_picture(Wanted("mnist", preview=50), [buffer.getvalue()]).size == size
    rows = prepare_picture(Wanted("mnist", split="every"), [buffer.getvalue()]).rows
    boxes = [candidate.box for row in rows for candidate in row.candidates]
    assert max(right for _, _, right, _ in boxes) == size[0]
    assert max(bottom for *_, bottom in boxes) == size[1]


def test_a_picture_is_split_again_after_another(seven_png):
    one, other = Wanted("mnist", split="wide"), Wanted("mnist", split="every")
    jpeg = large_jpeg(1000, 800, 1200, 2000)
    for wanted in (one, other):
        boxes = [prepare_picture(wanted, [data]).rows[0].candidates[0].box for data in (jpeg, seven_png, jpeg)]
        assert boxes[0] == boxes[2] != boxes[1]


def test_what_is_drawn_has_a_box_in_pixels_of_what_was_sent(seven_png, sheet_png):
    jpeg = large_jpeg(1000, 800, 1200, 2000)
    assert prepare_picture(DIGIT, [jpeg]).box == pytest.approx((1000, 800, 1200, 2000), abs=24)
    assert prepare_picture(DIGIT, [sheet_png]).box is None
    assert prepare_picture(PHOTO, [jpeg]).box is None


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_boxes_lie_within_a_picture_of_any_shape(height, width, data):
    dots = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1)), max_size=4))
    pixels = np.full((height, width), 255, np.uint8)
    for place in dots:
        pixels[place] = 0
    rows = prepare_picture(Wanted("mnist", split="every"), [encoded(pixels)]).rows or ()
    box = prepare_picture(DIGIT, [encoded(pixels)]).box
    for left, top, right, bottom in [candidate.box for row in rows for candidate in row.candidates] + [box] * bool(box):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_boxes_are_in_pixels_of_what_was_sent():
    (row,) = prepare_picture(Wanted("mnist", split="wide"), [large_jpeg(1000, 800, 1200, 2000)]).rows
    assert row.candidates[0].box == pytest.approx((1000, 800, 1200, 2000), abs=16)
