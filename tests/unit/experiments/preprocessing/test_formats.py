"""Every format, mode, depth and turn that a picture is sent in."""

import struct
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps

from experiments.preprocessing.decoding import ImageError, decode_image
from experiments.preprocessing.formats import FORMATS, NAMES, TYPES, format_of
from experiments.preprocessing.headers import picture_size
from tests.helpers.pictures import FORMATS_MADE, encoded


def written(side=100):
    """uint8 [side, side]: black strokes on white, in a shape that no turn or mirror leaves alone."""
    sheet = np.full((side, side + 40), 255, np.uint8)
    sheet[20:30, 20:100] = sheet[20:80, 90:100] = 0
    return sheet


def grey(data):
    """uint8 [H, W] of a picture on white."""
    rgba = Image.fromarray(decode_image(data))
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L"))


def differs(data, expected):
    """How much a picture differs from what it should be, in grey levels on average."""
    decoded = grey(data)
    assert decoded.shape == expected.shape
    return np.abs(decoded.astype(int) - expected).mean()


@pytest.mark.parametrize("kind", FORMATS_MADE)
def test_every_format_is_read(kind):
    name, options = FORMATS_MADE[kind]
    picture = Image.fromarray(written()).convert("RGB")
    data = encoded(picture, name, **options)
    assert differs(data, written()) < 3
    known = format_of(data)
    assert known.name in NAMES
    assert set(known.types) <= set(TYPES)


def test_there_is_a_test_of_every_format():
    made = {format_of(encoded(Image.new("RGB", (9, 9)), name, **options)) for name, options in FORMATS_MADE.values()}
    assert made == set(FORMATS)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_several_frames_the_first_is_read(kind):
    first, other = Image.fromarray(written()).convert("RGB"), Image.new("RGB", (140, 100), "grey")
    data = encoded(first, kind, save_all=True, append_images=[other])
    assert differs(data, written()) < 3


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "F"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_every_mode_is_read(kind, mode):
    if kind == "PNG" and mode in ("PA", "CMYK", "I", "F"):
        return
    if mode == "PA":
        picture = Image.fromarray(written()).convert("LA").convert("PA")
    else:
        picture = Image.fromarray(written()).convert(mode)
    assert differs(encoded(picture, kind), written()) < 1


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "WEBP"])
def test_what_is_transparent_is_paper(kind):
    ink = np.zeros((*written().shape, 4), np.uint8)
    ink[..., 3] = 255 - written()
    assert differs(encoded(ink, kind, lossless=True), written()) < 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("top", [1023, 4095, 65535])
@pytest.mark.parametrize("low", [0, 20_000])
def test_sixteen_bits_are_scaled_by_the_values_present(kind, top, low):
    top = min(low + top, 65535)
    deep = np.round(low + written() / 255.0 * (top - low)).astype(np.uint16)
    assert differs(encoded(deep, kind), written()) < 1
    colours = cv2.imencode(f".{kind.lower()}", np.repeat(deep[..., np.newaxis], 3, 2))[1].tobytes()
    assert differs(colours, written()) < 1


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_of_black_on_nothing_are_black_ink(kind):
    ink = np.zeros((*written().shape, 4), np.uint16)
    ink[..., 3] = (255 - written()).astype(np.uint16) * 257
    assert differs(cv2.imencode(f".{kind}", ink)[1].tobytes(), written()) < 1


@pytest.mark.parametrize("values", ["0 to 1", "-1 to 1", "millions", "holes"])
def test_floats_are_scaled_by_the_values_present(values):
    numbers = written().astype(np.float32) / 255
    scaled = {"0 to 1": numbers, "-1 to 1": 2 * numbers - 1, "millions": 1e6 + 1e6 * numbers}
    if values == "holes":
        numbers[0, :9] = np.nan, np.inf, -np.inf, *numbers[0, 3:9]
    assert differs(encoded(scaled.get(values, numbers), "TIFF"), written()) < 1


def test_a_deep_picture_of_one_value_is_flat():
    for value in (0, 7, 65535):
        assert np.ptp(grey(encoded(np.full((9, 9), value, np.uint16)))) == 0
    assert np.ptp(grey(encoded(np.full((9, 9), np.nan, np.float32), "TIFF"))) == 0


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "MPO", "WEBP", "TIFF", "AVIF", "HEIF", "deep PNG", "deep TIFF"])
def test_a_turned_picture_is_read_upright(kind, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    stored = np.asarray(ImageOps.exif_transpose(with_tag(written(), {6: 8, 8: 6}.get(tag, tag))))
    if kind.startswith("deep"):
        data = encoded(stored.astype(np.uint16) * 4, kind.removeprefix("deep "), exif=exif)
    else:
        data = encoded(Image.fromarray(stored).convert("RGB"), kind, exif=exif.tobytes())
    assert differs(data, written()) < 3


def with_tag(pixels, tag):
    picture = Image.fromarray(pixels)
    picture.getexif()[0x0112] = tag
    return picture


def test_a_jpeg_in_cmyk_is_read_as_its_writer_meant_it():
    """Adobe's are stored inverted and say so; what says nothing is not."""
    inks = Image.fromarray(written()).convert("RGB").convert("CMYK")
    adobe = encoded(inks, "JPEG", quality=95)
    assert differs(adobe, written()) < 3
    plain = encoded(ImageChops.invert(inks), "JPEG", quality=95)
    start = plain.index(b"\xff\xeeb" if b"\xff\xeeb" in plain else b"\xff\xee")
    length = int.from_bytes(plain[start + 2 : start + 4], "big")
    assert differs(plain[:start] + plain[start + 2 + length :], written()) < 3


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"%PDF-1.7", "PDF"), (b'<svg xmlns="">', "SVG"), (b"<!DOCTYPE html>", "web page"), (b"PK\3\4", "zip"),
     (b"\0\0\0\x18ftypmp42", "video"), (b"\xff\x0a", "JPEG XL"), (b"", "empty"), (b"hello", "not a picture")],
)  # fmt: skip
def test_what_is_no_picture_is_named(data, what):
    with pytest.raises(ImageError) as refused:
        decode_image(data)
    assert what in refused.value.message
    assert refused.value.hint
    assert what == "empty" or NAMES in refused.value.message


@pytest.mark.parametrize("kind", FORMATS_MADE)
@settings(max_examples=25)
@given(st.data())
def test_a_damaged_picture_is_read_or_refused_in_words(kind, data):
    name, options = FORMATS_MADE[kind]
    whole = bytearray(encoded(Image.fromarray(written(40)).convert("RGB"), name, **options))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(1, len(whole)))])
    with suppress(ImageError):
        assert decode_image(cut).shape[2] == 4


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "TIFF", "JPEG2000", "PPM", "GIF", "BMP", "WEBP"])
def test_a_picture_that_has_more_pixels_than_its_header_tells_is_never_read(kind):
    """By the header a picture is given its turn, and its pixels are bounded."""
    data = encoded(Image.new("RGB", (300, 200), "white"), kind)
    width, height = picture_size(data)
    for layout in (">II", "<II", ">HH", "<HH"):
        smaller = data.replace(struct.pack(layout, width, height), struct.pack(layout, 3, 2), 1)
        try:
            decoded = decode_image(smaller)
        except ImageError:
            continue
        told = picture_size(smaller)
        assert decoded.shape[0] * decoded.shape[1] <= told[0] * told[1]
