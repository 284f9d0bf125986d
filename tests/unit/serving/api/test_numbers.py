"""Pictures as numbers, in every layout and on every scale."""

import json

import numpy as np
import pytest

from experiments.preprocessing.decoding import decode_image
from serving.api.pictures import picture_in

GREY = np.full((28, 28), 255, np.uint8)
GREY[4:24, 12:16] = 0
COLOURS = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
COLOURS[0, 0], COLOURS[0, 1] = 0, 255
GREYS = {
    "28×28": GREY, "28×28×1": GREY[..., None], "1×28×28": GREY[None], "1×28×28×1": GREY[None, ..., None],
    "1×1×28×28": GREY[None, None], "784": GREY.ravel(), "1×784": GREY.reshape(1, 784),
}  # fmt: skip
RGB = {
    "32×32×3": COLOURS, "3×32×32": COLOURS.transpose(2, 0, 1), "1×32×32×3": COLOURS[None],
    "3072": COLOURS.transpose(2, 0, 1).ravel(),
}  # fmt: skip
SCALES = {
    "bytes": lambda values: values, "0 to 1": lambda values: values / 255, "-1 to 1": lambda values: values / 127.5 - 1,
    "standardised": lambda values: (values / 255 - 0.1307) / 0.3081, "16 bits": lambda values: values.astype(int) * 257,
    "booleans": lambda values: values > 0, "to 16": lambda values: values / 255 * 16,
}  # fmt: skip


def pixels(body):
    return decode_image(picture_in(json.dumps(body).encode()))[..., :3]


@pytest.mark.parametrize("layout", GREYS)
@pytest.mark.parametrize("scale", SCALES)
def test_grey_levels_are_read_in_any_layout_and_scale(layout, scale):
    numbers = SCALES[scale](GREYS[layout])
    flat = numbers.ravel().tolist()
    tensor = {"name": "x", "shape": list(numbers.shape), "datatype": "FP32", "data": flat}
    for body in (
        {"image": numbers.tolist()}, {"instances": numbers.tolist()}, {"inputs": {"image": numbers.tolist()}},
        {"inputs": [tensor]}, {"data": [numbers.tolist()]}, numbers.tolist(),
        {"dataframe_split": {"columns": list(range(784)), "index": [0], "data": [flat]}},
        {"dataframe_records": [{f"pixel{number}": value for number, value in enumerate(flat)}]},
    ):  # fmt: skip
        assert np.array_equal(pixels(body)[..., 0], GREY)


@pytest.mark.parametrize("layout", RGB)
@pytest.mark.parametrize("scale", ["bytes", "0 to 1", "-1 to 1"])
def test_colours_are_read_in_any_layout_and_scale(layout, scale):
    assert np.abs(pixels({"image": SCALES[scale](RGB[layout]).tolist()}).astype(int) - COLOURS).max() <= 1


def test_a_tensor_has_the_shape_that_it_tells():
    wide = np.pad(GREY, ((0, 0), (0, 20)), constant_values=255)
    body = {"inputs": [{"name": "x", "shape": [1, 28, 48], "datatype": "UINT8", "data": wide.ravel().tolist()}]}
    assert np.array_equal(pixels(body)[..., 0], wide)


def test_rows_of_csv_are_read():
    for content in (",".join(map(str, GREY.ravel())), "\r\n".join(", ".join(map(str, row)) for row in GREY) + "\n"):
        assert np.array_equal(decode_image(picture_in(content.encode()))[..., 0], GREY)


def test_other_sizes_are_read():
    for shape in ((8, 8), (400, 400), (100, 30)):
        assert pixels({"image": np.zeros(shape, int).tolist()}).shape == (*shape, 3)


def test_what_is_nearly_white_is_not_stretched():
    assert pixels({"image": np.full((28, 28), 0.99).tolist()}).min() == 252
    assert np.ptp(pixels({"image": np.full((28, 28), -3.0).tolist()})) == 0
