import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from experiments.preprocessing.decoding import MAX_PIXELS, ImageError, decode_image, pixel_count
from experiments.preprocessing.headers import picture_size
from tests.helpers.pictures import FORMATS_MADE, PNG_BEGINNING, encoded

JPEG = b"\xff\xd8\xff"
KINDS = FORMATS_MADE | {
    "with a profile": ("JPEG", {"icc_profile": b"x" * 200_000}),
    "extended": ("WEBP", {"exif": b"Exif\0\0", "lossless": True}), "big": ("TIFF", {"big_tiff": True}),
    "turned": ("AVIF", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"}),
}  # fmt: skip
BEGINNINGS = [
    b"", PNG_BEGINNING, JPEG, b"RIFF1234WEBPVP8X", b"RIFF1234WEBPVP8 ", b"GIF89a", b"BM" + bytes(12) + b"\x28\0\0\0",
    b"II*\0\x08\0\0\0", b"MM\0+\0\x08\0\0", b"\0\0\0\x10ftypavif\0\0\0\0", b"\0\0\0\x10ftypheic\0\0\0\0\0\0\0\0meta",
    b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"P5 ", b"P1#",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (37, 1200)])
def test_the_size_of_every_kind_is_told(kind, size):
    name, options = KINDS[kind]
    data = encoded(Image.new("RGB", size, "red"), name, **options)
    whole = tuple(max(64, side + side % 2) for side in size) if kind == "heic" else size  # of which a part is shown
    assert picture_size(data) == whole
    assert pixel_count(data) == whole[0] * whole[1]


@example(b"II+\0", b"\x08\0\0\0" + 8 * b"\xff")  # a BigTIFF whose tags lie beyond any file
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
def test_any_bytes_have_a_size_or_none(beginning, data):
    size = picture_size(beginning + data)
    assert size is None or min(size) >= 0
    assert pixel_count(beginning + data) >= 0


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(st.data())
def test_a_damaged_header_has_a_size_or_none(kind, data):
    name, options = KINDS[kind]
    whole = bytearray(encoded(Image.new("RGB", (20, 10), "red"), name, **options)[:1000])
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    size = picture_size(bytes(whole[: data.draw(st.integers(8, len(whole)))]))
    assert size is None or min(size) >= 0


def test_what_cannot_be_told_counts_as_the_largest_and_what_is_no_picture_as_nothing():
    assert pixel_count(JPEG + b"\xe0\0\2" * 5000) == MAX_PIXELS
    assert pixel_count(JPEG + b"\xff" * 5000) == MAX_PIXELS
    assert pixel_count(PNG_BEGINNING) == MAX_PIXELS
    assert pixel_count(b"text") == 0


def test_a_jpeg_of_two_frames_has_the_larger_ones_size():
    def frame(width, height):
        return b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, height, width, 0)

    assert picture_size(b"\xff\xd8" + frame(8, 8) + b"\xff\xff" + frame(900, 800) + b"\xff\xda") == (900, 800)


def test_a_second_header_that_tells_of_more_pixels_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(buffer, "PNG")
    data = buffer.getvalue()
    small = bytearray(data[8:33])
    small[8:16] = struct.pack(">II", 5, 5)
    small[-4:] = struct.pack(">I", zlib.crc32(small[4:-4]))
    with pytest.raises(ImageError):
        decode_image(data[:8] + bytes(small) + data[8:])


def test_a_tiff_that_claims_more_values_than_it_has_bytes_is_refused():
    entry = struct.Struct("<HHII")
    sizes = entry.pack(256, 4, 1, 8) + entry.pack(257, 4, 1, 8)
    for tags in (sizes + entry.pack(65000, 7, 2**31, 8), sizes + entry.pack(65000, 7, 1, 8) * 1000):
        data = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags) // entry.size) + tags + bytes(4)
        assert picture_size(data) is None
        with pytest.raises(ImageError):
            decode_image(data)


def test_a_jpeg_2000_has_the_larger_of_its_two_sizes():
    data = encoded(Image.new("L", (64, 64)), "JPEG2000")
    small = data.replace(b"ihdr" + struct.pack(">II", 64, 64), b"ihdr" + struct.pack(">II", 8, 8))
    assert picture_size(small) == (64, 64)
