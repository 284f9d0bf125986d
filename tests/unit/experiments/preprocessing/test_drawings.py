"""Preparation: what must never change the prepared image, what may hardly, and what is no picture at all."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from experiments.preprocessing.decoding import ImageError, decode_image
from experiments.preprocessing.drawings import prepare_drawing

pens = st.integers(6, 40)
places = st.integers(0, 150)


def sheet(x: int = 60, y: int = 40, pen: int = 20, size: int = 150, side: int = 400) -> np.ndarray:
    """uint8 [side, side]: a 7 in black on white, at a place, with a pen."""
    image = Image.new("L", (side, side), 255)
    points = [(x, y), (x + size * 0.6, y), (x + size * 0.25, y + size)]
    ImageDraw.Draw(image).line(points, fill=0, width=pen, joint="curve")
    return np.asarray(image)


def as_format(pixels: np.ndarray, kind: str, **options: object) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return decode_image(buffer.getvalue())


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@given(places, places, pens)
def test_moves_change_nothing(x: int, y: int, pen: int) -> None:
    assert np.array_equal(prepare_drawing(sheet(60, 60, pen)), prepare_drawing(sheet(60 + x, 60 + y, pen)))


@given(pens, st.integers(1, 300), st.integers(1, 300))
def test_margins_change_nothing(pen: int, high: int, wide: int) -> None:
    drawing = sheet(pen=pen)
    wider = np.pad(drawing, ((high, 0), (wide, 7)), constant_values=255)
    assert np.array_equal(prepare_drawing(drawing), prepare_drawing(wider))


@given(pens)
def test_inversion_alpha_and_colour_planes_change_nothing(pen: int) -> None:
    drawing = sheet(pen=pen)
    prepared = prepare_drawing(drawing)
    rgb = np.repeat(drawing[..., None], 3, axis=2)
    opaque = np.dstack([rgb, np.full_like(drawing, 255)])
    black_on_nothing = np.dstack([np.zeros_like(rgb), 255 - drawing])
    white_on_nothing = np.dstack([np.full_like(rgb, 255), 255 - drawing])
    for same in (255 - drawing, drawing[..., None], rgb, opaque, black_on_nothing, white_on_nothing):
        assert np.array_equal(prepared, prepare_drawing(same))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP"])
def test_lossless_formats_change_nothing(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(prepare_drawing(sheet()), prepare_drawing(as_format(sheet(), kind, **options)))


@given(st.integers(85, 100), pens)
def test_good_jpeg_hardly_changes_it(quality: int, pen: int) -> None:
    drawing = sheet(pen=pen)
    assert difference(prepare_drawing(drawing), prepare_drawing(as_format(drawing, "JPEG", quality=quality))) < 4


@given(st.floats(0.5, 2.0), st.integers(10, 40))
def test_scale_hardly_changes_it(scale: float, pen: int) -> None:
    drawing = Image.fromarray(sheet(pen=pen))
    side = round(400 * scale)
    scaled = np.asarray(drawing.resize((side, side), Image.Resampling.LANCZOS))
    assert difference(prepare_drawing(np.asarray(drawing)), prepare_drawing(scaled)) < 8


def test_the_digit_fills_the_box_around_its_centre_of_mass() -> None:
    for pen in (6, 20, 40):
        image = prepare_drawing(sheet(pen=pen))[..., 0].astype(float)
        rows = np.nonzero(image > 127)[0]
        assert 18 <= np.ptp(rows) + 1 <= 21
        y, x = (np.indices(image.shape) * image).sum((1, 2)) / image.sum()
        assert (x, y) == pytest.approx((14, 14), abs=0.2)
        assert 20 < np.count_nonzero(image > 127) < 140


def test_a_stroke_is_thinned_and_a_blot_stays_one() -> None:
    def ring(pen: int) -> np.ndarray:
        """How much of the image a ring of 200 px takes, and how long its sides are."""
        image = prepare_drawing(cv2.circle(np.full((400, 400), 255, np.uint8), (200, 200), 100, 0, pen))[..., 0] > 127
        return np.array([image.sum(), *np.ptp(np.nonzero(image), axis=1) + 1])

    thick, thicker, blot = ring(40), ring(60), ring(170)
    assert thick == pytest.approx(thicker, rel=0.1)  # 3.3 and 4.6 px of the box, both brought to MNIST's
    assert blot[0] > 1.6 * thick[0]  # 12.6 px of the box, a pinhole in it
    assert blot[1:] == pytest.approx([20, 20], abs=1)


def photo(rng: np.random.Generator, grain: float = 6, shadow: float = 90) -> np.ndarray:
    """uint8 [400, 400, 3]: the same 7 in blue ink on grainy paper, with light falling off to one side."""
    ink = (255 - sheet(x=140, y=110, pen=14)[..., None]) / 255
    paper = 215 - np.linspace(0, shadow, 400)[None, :, None] + rng.normal(0, grain, (400, 400, 1))
    blue = np.array([40, 50, 120])
    return (paper * (1 - ink) + (blue * paper / 255) * ink).clip(0, 255).astype(np.uint8)


def test_shadow_grain_and_speckle_are_no_ink() -> None:
    rng = np.random.default_rng(0)
    expected = prepare_drawing(sheet(x=140, y=110, pen=14))
    assert difference(expected, prepare_drawing(photo(rng))) < 10
    speckled = sheet(x=140, y=110, pen=14).copy()
    speckled[tuple(rng.integers(0, 400, (2, 60)))] = 0
    assert difference(expected, prepare_drawing(speckled)) < 3


@pytest.mark.parametrize("times", [1, 4, 10])
def test_soft_edges_of_a_small_drawing_that_was_enlarged_are_no_photo(times: int) -> None:
    small = np.full((28, 28), 255, np.uint8)
    small[4:24, 12:16] = [90, 0, 120, 200]
    expected = prepare_drawing(small)
    assert expected is not None
    enlarged = cv2.resize(small, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
    assert difference(expected, prepare_drawing(enlarged)) < 10


@pytest.mark.parametrize("grey", [0, 17, 128, 255])
def test_an_even_sheet_is_blank(grey: int) -> None:
    assert prepare_drawing(np.full((400, 400), grey, np.uint8)) is None
    assert prepare_drawing(np.zeros((30, 30, 4), np.uint8)) is None


def test_pale_specks_far_apart_are_blank_and_a_hairline_is_not() -> None:
    specks = np.full((1000, 1000), 255, np.uint8)
    specks[[3, 990], [5, 980]] = 225
    assert prepare_drawing(specks) is None
    hairline = prepare_drawing(sheet(side=1000, size=900, pen=1))
    assert 20 < np.count_nonzero(hairline > 127) < 140


def test_grainy_empty_paper_is_blank() -> None:
    rng = np.random.default_rng(1)
    assert prepare_drawing(rng.normal(200, 6, (300, 300)).clip(0, 255).astype(np.uint8)) is None


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((5, 5), np.float32), np.zeros((0, 9), np.uint8), np.zeros((4, 4, 2), np.uint8), [[1]], None],
)
def test_other_arrays_are_refused_in_words(wrong: object) -> None:
    with pytest.raises(ImageError, match="A picture"):
        prepare_drawing(wrong)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 4]))
def test_any_array_gives_an_image_or_blank(height: int, width: int, seed: int, channels: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    image = prepare_drawing(pixels)
    assert image is None or (image.shape == (28, 28, 1) and image.dtype == np.uint8)


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(ImageError):
        decode_image(data)


@given(st.integers(0, 3000), st.sampled_from(["PNG", "JPEG", "WEBP"]), st.sampled_from(["L", "RGBA"]))
def test_a_truncated_file_is_refused_in_words(length: int, kind: str, mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(sheet(side=200)).convert("RGB" if (kind, mode) == ("JPEG", "RGBA") else mode).save(buffer, kind)
    with pytest.raises(ImageError, match="picture"):
        decode_image(buffer.getvalue()[: min(length, len(buffer.getvalue()) // 2)])


def noise(seed: int, height: int = 30, width: int = 20) -> np.ndarray:
    """uint8 [height, width, 4]: RGBA in which every value is its own."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def png(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60), st.sampled_from(["L", "RGB", "RGBA"]))
def test_a_png_is_decoded_to_the_last_bit(seed: int, height: int, width: int, mode: str) -> None:
    picture = Image.fromarray(noise(seed, height, width)).convert(mode)
    assert np.array_equal(decode_image(png(np.asarray(picture))), np.asarray(picture.convert("RGBA")))


@given(st.integers(0, 2**32 - 1), st.integers(0, 5000), st.integers(0, 7), st.sampled_from(["L", "RGB", "RGBA"]))
def test_a_damaged_png_is_decoded_as_pillow_does_or_refused(seed: int, place: int, bit: int, mode: str) -> None:
    data = bytearray(png(np.asarray(Image.fromarray(noise(seed)).convert(mode))))
    data[place % len(data)] ^= 1 << bit
    try:
        decoded = decode_image(bytes(data))
    except ImageError:
        return
    assert np.array_equal(decoded, np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")))


def test_a_png_that_is_turned_moving_or_deep_is_read_as_any_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert np.array_equal(decode_image(png(noise(0), exif=exif)), np.rot90(noise(0), -1))
    moving = png(noise(0), save_all=True, append_images=[Image.fromarray(noise(1))])
    assert np.array_equal(decode_image(moving), noise(0))
    deep = cv2.imencode(".png", cv2.cvtColor(noise(0), cv2.COLOR_RGBA2BGRA).astype(np.uint16) * 257)[1]
    assert np.array_equal(decode_image(deep.tobytes()), noise(0))


def test_modes_and_orientation() -> None:
    drawing = Image.fromarray(sheet())
    expected = prepare_drawing(sheet())
    for mode in ("1", "P", "RGB", "CMYK"):
        buffer = io.BytesIO()
        drawing.convert(mode).save(buffer, "JPEG" if mode == "CMYK" else "PNG", quality=100)
        assert difference(expected, prepare_drawing(decode_image(buffer.getvalue()))) < 2
    deep, turned = io.BytesIO(), io.BytesIO()
    Image.fromarray(sheet().astype(np.uint16) * 257).save(deep, "PNG")
    assert np.array_equal(expected, prepare_drawing(decode_image(deep.getvalue())))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    drawing.rotate(90).save(turned, "PNG", exif=exif)
    assert np.array_equal(expected, prepare_drawing(decode_image(turned.getvalue())))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(buffer, "PNG")
    with pytest.raises(ImageError, match="pixels"):
        decode_image(buffer.getvalue())
