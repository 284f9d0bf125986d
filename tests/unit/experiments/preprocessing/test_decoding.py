"""Encoded pictures that would take a decoder without end."""

import io

import pytest
from PIL import Image

from experiments.preprocessing.decoding import ImageError, decode_image


def progressive(scans, side=64):
    """A progressive JPEG whose last scan is there so many times more."""
    buffer = io.BytesIO()
    Image.new("L", (side, side), 255).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    return data[:-2] + data[data.rfind(b"\xff\xda") : -2] * scans + data[-2:]


def test_a_jpeg_of_endless_scans_is_refused_and_an_ordinary_progressive_one_is_not():
    assert decode_image(progressive(20)).shape == (64, 64, 4)
    for scans in (60, 1500):
        with pytest.raises(ImageError, match="50 scans"):
            decode_image(progressive(scans))


def test_a_large_jpeg_has_fewer_scans():
    with pytest.raises(ImageError, match="20 scans"):
        decode_image(progressive(20, side=7000))
