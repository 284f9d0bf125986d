"""Ink on whatever people write on: of either polarity, small, faint, ruled, framed, on a table, enlarged, deep.

A digit is right if its image is nearly that of the same digit on a clean sheet.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from experiments.evaluation import drawings
from experiments.preprocessing.drawings import prepare_drawing

SIDE = 480  # px of a picture
Place = tuple[float, float]
FIVE = [[(0.75, 0.05), (0.3, 0.06), (0.26, 0.45), (0.6, 0.42), (0.76, 0.68), (0.6, 0.92), (0.22, 0.88)]]
SEVEN = [[(0.2, 0.08), (0.8, 0.06), (0.42, 0.95)], [(0.35, 0.5), (0.72, 0.48)]]  # with a bar
ONE = [[(0.36, 0.25), (0.55, 0.05), (0.53, 0.96)]]
ZERO = [[(0.5 + 0.3 * np.cos(t), 0.5 + 0.45 * np.sin(t)) for t in np.linspace(0, 6.4, 40)]]
DIGITS = {"five": FIVE, "seven": SEVEN, "one": ONE, "zero": ZERO}


def written(strokes: list[list[Place]], height: float = 220, pen: float = 16, at: Place = (240, 240)) -> np.ndarray:
    """How much of each pixel is ink, float [SIDE, SIDE], 0 to 1."""
    image = Image.new("L", (4 * SIDE, 4 * SIDE), 0)
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        points = [(4 * (at[0] + (x - 0.5) * height), 4 * (at[1] + (y - 0.5) * height)) for x, y in stroke]
        draw.line(points, fill=255, width=round(4 * pen), joint="curve")
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX)) / 255


def lined(gap: int, upright: bool = False, thickness: int = 2) -> np.ndarray:
    """Rulings from border to border, float [SIDE, SIDE], 0 to 1."""
    sheet = np.zeros((SIDE, SIDE))
    for place in range(gap // 2, SIDE, gap):
        sheet[place : place + thickness] = 1
    return np.maximum(sheet, sheet.T) if upright else sheet


def photo(ink: np.ndarray, paper: float = 205, level: float = 60, lines: np.ndarray | None = None) -> np.ndarray:
    """uint8 [SIDE, SIDE]: ink of this grey level on paper in a soft shadow, blurred and grainy."""
    sheet = np.full((SIDE, SIDE), float(paper))
    if lines is not None:
        sheet += (150 - paper) * lines
    sheet += (level - sheet) * ink
    shadow = 1 - 0.25 * np.add.outer(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE)) / 2
    grain = np.random.default_rng(3).normal(0, 3, sheet.shape)
    return (cv2.GaussianBlur(sheet, (0, 0), 1) * shadow + grain).clip(0, 255).astype(np.uint8)


def clean(ink: np.ndarray, paper: float = 255, level: float = 0) -> np.ndarray:
    """uint8 [SIDE, SIDE]: the same on an even sheet."""
    return (paper + (level - paper) * ink).round().astype(np.uint8)


def on_ground(sheet: np.ndarray, level: int, turn: float = 6) -> np.ndarray:
    """uint8 [700, 700]: a sheet that lies, turned, on a larger ground of this grey level."""
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), turn, 1)
    matrix[:, 2] += (700 - SIDE) / 2
    ground = np.random.default_rng(4).normal(level, 4, (700, 700)).clip(0, 255).astype(np.uint8)
    return cv2.warpAffine(sheet, matrix, (700, 700), dst=ground, borderMode=cv2.BORDER_TRANSPARENT)


def ring(ink: np.ndarray, shape: str) -> np.ndarray:
    """The ink, with a circle, box or line about it or a frame at the border: float [SIDE, SIDE]."""
    image = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(image)
    match shape:
        case "circle":
            draw.ellipse((60, 60, 420, 420), outline=255, width=8)
        case "box":
            draw.rectangle((80, 70, 400, 410), outline=255, width=6)
        case "underline":
            draw.line((120, 435, 360, 430), fill=255, width=10)
        case "frame":
            draw.rectangle((0, 0, SIDE - 1, SIDE - 1), outline=255, width=1)
    return np.maximum(ink, np.asarray(image) / 255)


def enlarged(ink: np.ndarray, pixels: int, side: int, smoothly: bool) -> np.ndarray:
    """uint8 [side, side], light on dark: the digit in so many pixels a side, as thumbnails have it."""
    few = cv2.resize((255 * ink[90:390, 90:390]).astype(np.uint8), (pixels, pixels), interpolation=cv2.INTER_AREA)
    return cv2.resize(few, (side, side), interpolation=cv2.INTER_CUBIC if smoothly else cv2.INTER_NEAREST)


def small(strokes: list[list[Place]]) -> np.ndarray:
    return written(strokes, height=55, pen=5, at=(330, 150))


PICTURES: dict[str, Callable[[list[list[Place]]], np.ndarray]] = {
    "photo": lambda strokes: photo(written(strokes)),
    "photo, small": lambda strokes: photo(small(strokes)),
    "photo, faint": lambda strokes: photo(written(strokes), level=175),
    "photo, light on dark": lambda strokes: photo(written(strokes), paper=60, level=200),
    "photo, light on dark, small": lambda strokes: photo(small(strokes), paper=60, level=200),
    "photo, fills it": lambda strokes: photo(written(strokes, height=440, pen=40)),
    "photo, ruled": lambda strokes: photo(written(strokes), lines=lined(60)),
    "photo, squared": lambda strokes: photo(written(strokes), lines=lined(45, upright=True)),
    "photo, circled": lambda strokes: photo(ring(written(strokes), "circle")),
    "photo, on a dark table": lambda strokes: on_ground(photo(written(strokes)), 50),
    "photo, on a light table": lambda strokes: on_ground(photo(written(strokes)), 140),
    "scan, ruled": lambda strokes: clean(np.maximum(written(strokes), 0.5 * lined(60, thickness=1))),
    "scan, squared": lambda strokes: clean(np.maximum(written(strokes), 0.3 * lined(30, upright=True, thickness=1))),
    "circled": lambda strokes: clean(ring(written(strokes), "circle")),
    "boxed": lambda strokes: clean(ring(written(strokes), "box")),
    "underlined": lambda strokes: clean(ring(written(strokes), "underline")),
    "framed": lambda strokes: clean(ring(written(strokes), "frame")),
    "20 levels": lambda strokes: clean(written(strokes), paper=250, level=230),
    "sheet on a page": lambda strokes: np.pad(clean(written(strokes)), 50, constant_values=230),
}


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("name", PICTURES)
def test_a_digit_is_the_same_on_any_paper(name: str, digit: str) -> None:
    expected = prepare_drawing(clean(written(DIGITS[digit])))
    prepared = prepare_drawing(PICTURES[name](DIGITS[digit]))
    assert prepared is not None
    wrong = np.abs(expected.astype(int) - prepared).sum() / expected.sum()
    assert wrong < (0.75 if "light table" in name or "dark table" in name else 0.45)  # those are turned


@pytest.mark.parametrize(
    ("pixels", "side", "smoothly"), [(8, 80, False), (8, 200, True), (16, 320, False), (28, 28, False)]
)
def test_few_large_pixels_are_no_photo(pixels: int, side: int, smoothly: bool) -> None:
    expected = prepare_drawing(clean(written(FIVE, pen=26)))
    prepared = prepare_drawing(enlarged(written(FIVE, pen=26), pixels, side, smoothly))
    assert np.corrcoef(expected.ravel(), prepared.ravel())[0, 1] > 0.7


def test_a_thin_level_stroke_of_a_broad_pen_stays() -> None:
    thick, thin = written([[(0.8, 0.06), (0.42, 0.95)]], pen=24), written([[(0.2, 0.07), (0.8, 0.06)]], pen=1.2)
    with_bar = prepare_drawing(clean(np.maximum(thick, thin)))
    assert np.count_nonzero(with_bar[:10, :12]) > 8


def test_a_digit_without_anything_around_it_loses_nothing() -> None:
    """The shipped models were trained on these images: what is drawn on the pad must give the same for ever."""
    generated = drawings.generate(200, seed=9)
    layout = drawings.Layout(sizes=(0.3, 0.9), brushes=(12, 28))
    images = drawings.put_on_pad(generated, layout, seed=9).images
    assert images.shape == (200, 28, 28, 1)
    assert images.astype(np.int64).sum() == pytest.approx(4_618_984, rel=1e-5)  # another CPU may round otherwise


@pytest.mark.parametrize("gap", [6, 14])
def test_the_segments_of_a_display_are_joined(gap: int) -> None:
    sheet = Image.new("L", (300, 300), 255)
    draw = ImageDraw.Draw(sheet)
    for top in (30, 150, 270):
        draw.rectangle((90 + gap, top - 13, 210 - gap, top + 13), fill=0)
    for left, top in ((90, 30), (90, 150), (210, 150)):  # a 6
        draw.rectangle((left - 13, top + gap, left + 13, top + 120 - gap), fill=0)
    image = prepare_drawing(np.asarray(sheet))[..., 0] > 127
    assert cv2.connectedComponents(image.astype(np.uint8))[0] == 2  # paper and one mark
    assert cv2.connectedComponents(1 - image.astype(np.uint8), connectivity=4)[0] == 3  # the ink, outside and one loop


def test_what_is_no_writing_is_not_blank() -> None:
    halves = np.full((60, 80, 3), (200, 30, 30), np.uint8)
    halves[30:] = (30, 30, 200)
    assert prepare_drawing(halves) is not None


def test_an_empty_photo_is_blank() -> None:
    assert prepare_drawing(photo(np.zeros((SIDE, SIDE)))) is None
    assert prepare_drawing(photo(np.zeros((SIDE, SIDE)), paper=60)) is None
