"""Photos: what must never change the prepared image, what may hardly, and what is no photo at all."""

import functools
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from experiments.preprocessing.decoding import ImageError, decode_image
from experiments.preprocessing.photos import prepare_photo

sides = st.integers(1, 500)
ORIENTATION = 0x0112  # EXIF tag


@functools.lru_cache(maxsize=8)
def scene(width: int = 400, height: int = 300, seed: int = 0) -> Image.Image:
    """A soft picture of many colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def sent(image: Image.Image, kind: str, **options: object) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return prepare_photo(decode_image(buffer.getvalue()))


@functools.cache
def prepared(size: tuple[int, int]) -> np.ndarray:
    """The scene of this size, sent in no format at all."""
    return prepare_photo(np.asarray(scene(*size)))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference in levels."""
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@given(arrays(np.uint8, (32, 32, 3)))
def test_an_image_of_the_data_set_stays_as_it_is(image: np.ndarray) -> None:
    prepared = prepare_photo(image)
    assert prepared is None or np.array_equal(prepared, image)


@given(sides, sides, st.sampled_from([(), (1,), (3,), (4,)]))
def test_any_size_and_kind_gives_one_image(height: int, width: int, planes: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, *planes), np.uint8)
    prepared = prepare_photo(pixels)
    if prepared is not None:
        assert (prepared.shape, prepared.dtype) == ((32, 32, 3), np.uint8)


@given(st.integers(0, 300), st.integers(0, 300))
def test_what_lies_beside_the_middle_counts_nothing(wide: int, high: int) -> None:
    square = np.asarray(scene(300, 300))
    either = [(wide // 2, wide // 2), (0, 0)], [(0, 0), (high // 2, high // 2)]
    for rows, columns in either:
        assert np.array_equal(prepare_photo(np.pad(square, (rows, columns, (0, 0)))), prepare_photo(square))


@given(st.integers(64, 1500), st.integers(0, 9))
def test_scale_hardly_changes_it(side: int, seed: int) -> None:
    assert difference(prepare_photo(np.asarray(scene(side, side, seed))), np.asarray(scene(32, 32, seed))) < 4


def test_fine_patterns_become_their_mean_and_no_moire() -> None:
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 200
    stripes[:320] = 50  # else it's one colour
    lower = prepare_photo(stripes)[18:]
    assert np.abs(lower.astype(int) - 100).max() <= 2


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("BMP", {})])
def test_lossless_formats_change_nothing(kind: str, options: dict[str, object]) -> None:
    assert np.array_equal(sent(scene(), kind, **options), prepare_photo(np.asarray(scene())))


@given(st.integers(85, 100), st.sampled_from(["JPEG", "WEBP"]), st.sampled_from([(400, 300), (1500, 1000)]))
def test_good_lossy_formats_hardly_change_it(quality: int, kind: str, size: tuple[int, int]) -> None:
    assert difference(sent(scene(*size), kind, quality=quality, method=0), prepared(size)) < 3


@pytest.mark.parametrize(
    ("tag", "stored"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_a_phone_held_another_way_sends_the_same_photo(tag: int, stored: Image.Transpose) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = tag
    upright = sent(scene(), "JPEG", quality=95)
    assert difference(sent(scene().transpose(stored), "JPEG", quality=95, exif=exif), upright) < 1


def test_what_is_transparent_is_white() -> None:
    photo = np.asarray(scene().convert("RGBA")).copy()
    photo[:, :200, 3] = 0
    white = photo.copy()
    white[:, :200] = 255
    assert np.array_equal(prepare_photo(photo), prepare_photo(white))
    half = np.dstack([np.zeros((40, 40, 3), np.uint8), np.full((40, 40), 128, np.uint8)])
    half[:5, :5] = 255
    assert prepare_photo(half)[20, 20].tolist() == [127] * 3


@given(st.integers(0, 255), sides, st.integers(0, 255))
def test_one_colour_is_no_photo(level: int, side: int, alpha: int) -> None:
    assert prepare_photo(np.full((side, side, 3), level, np.uint8)) is None
    assert prepare_photo(np.dstack([np.full((9, side, 3), level), np.full((9, side), alpha)]).astype(np.uint8)) is None


def test_a_grey_photo_has_three_equal_planes() -> None:
    grey = prepare_photo(np.asarray(scene().convert("L")))
    assert (grey[..., :1] == grey).all()


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4, 3)), np.zeros((0, 4), np.uint8), np.zeros((4, 4, 2), np.uint8), "x"]
)
def test_no_picture_at_all(pixels: object) -> None:
    with pytest.raises(ImageError, match="A picture"):
        prepare_photo(pixels)
