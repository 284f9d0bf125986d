"""Put a digit on a sheet and take its picture, as a condition describes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from experiments.evaluation.photographed.camera import Encoder, Light, jpeg, soft_shadow
from experiments.evaluation.photographed.paper import Colour, Ground, Printed
from experiments.evaluation.photographed.writing import Box, Mark, Strokes, Texture, fit, ink, solid

Range = tuple[float, float]
"""Of evenly drawn values."""
BLACK, BLUE, RED, GREEN = (1.0, 1.0, 1.0), (1.2, 1.05, 0.22), (0.3, 1.35, 1.0), (1.5, 0.75, 1.0)
"""How much a level of contrast darkens red, green and blue; with the eye's weights each comes to a level of grey."""


@dataclass(frozen=True)
class Condition:
    """How a picture of a digit is made; the defaults are a photo of a pen's digit on white paper, by daylight."""

    name: str
    reason: str  # who sends such pictures, or what is difficult
    height: int = 220  # px of the digit; less where it would be wider than WIDEST
    contrast: int = 150  # grey levels by which the ink is darker than the paper beside it; negative: lighter
    side: int = 640  # px: the picture's longer side
    aspects: tuple[float, ...] = (1, 3 / 4, 4 / 3)  # width by height
    paper: Colour = (226, 222, 212)
    tints: tuple[tuple[float, float, float], ...] = (BLACK, BLUE)
    pen: Range = (0.05, 0.09)  # width as a share of the digit's height
    texture: Texture = solid
    printed: tuple[Printed, ...] = ()
    marks: tuple[Mark, ...] = ()  # by the same pen
    ground: Ground | None = None  # None: the sheet fills the picture
    covers: Range = (0.6, 0.9)  # share of the picture that a sheet on a ground covers
    place: Range = (0.3, 0.5)  # distance from the nearer borders, as a share of the free room
    turn: float = 5  # degrees to either side
    tilt: float = 0  # how much nearer one border is than the middle, as a share
    light: Light = soft_shadow
    blur: float = 0.8  # px
    noise: float = 3  # levels
    colour_noise: float = 0  # levels, in patches of four px
    encode: Encoder = jpeg


def photograph(strokes: Strokes, condition: Condition, rng: np.random.Generator) -> bytes:
    """Return the encoded picture."""
    return condition.encode(take(strokes, condition, rng))


def take(strokes: Strokes, condition: Condition, rng: np.random.Generator) -> np.ndarray:
    """Return the pixels before they are encoded: uint8 [h, w, 3]."""
    shape = _shape(condition, rng)
    turn, tilt = rng.uniform(-condition.turn, condition.turn), rng.uniform(-condition.tilt, condition.tilt, 2)
    picture = condition.ground(shape, rng) if condition.ground else None
    size, corner = _sheet(condition, shape, rng)
    sheet = np.empty((*size[::-1], 3), np.uint8)
    seen = np.maximum(-corner, 0), np.minimum(size, shape[::-1] - corner)
    centre = _write(sheet, strokes, condition, seen, rng)
    if picture is not None or turn or tilt.any():
        sheet = _lay(sheet, _view(corner, centre, turn, tilt / max(shape)), shape, picture)
    return _expose(sheet, condition, centre + corner, rng)


def _sheet(condition: Condition, shape: tuple[int, int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of the sheet, and the place of its upper left corner in the picture, in px before it is turned
    and tilted; without a ground it reaches so far beyond the picture that nothing else is seen."""
    width, height = shape[::-1]
    if condition.ground:
        size = (np.sqrt(rng.uniform(*condition.covers)) * np.array([width, height])).astype(int)
        return size, rng.uniform(0, 1, 2) * ((width, height) - size)
    beyond = round((np.sin(np.radians(condition.turn)) + condition.tilt) * condition.side)
    return np.array([width, height]) + 2 * beyond, np.array([-beyond, -beyond])


def _shape(condition: Condition, rng: np.random.Generator) -> tuple[int, int]:
    aspect = condition.aspects[rng.integers(len(condition.aspects))]
    return round(condition.side * min(1, 1 / aspect)), round(condition.side * min(1, aspect))


def _write(
    sheet: np.ndarray,
    strokes: Strokes,
    condition: Condition,
    seen: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Print and write on a sheet, in place, with the digit between the corners of its part that is seen. Returns the
    digit's centre, float [2]."""
    cv2.rectangle(sheet, (0, 0), sheet.shape[1::-1], condition.paper, cv2.FILLED)
    window = seen[1] - seen[0]
    strokes = fit(strokes, condition.height, 0.9 * window[0])
    width, height = np.concatenate(strokes).max(0)
    share = rng.uniform(*condition.place, 2)
    share = np.where(rng.integers(0, 2, 2), share, 1 - share)
    left, top = seen[0] + share * (window - (width, height))
    box = Box(left, top, width, max(height, condition.height / 2))  # a level stroke has hardly any height
    for draw in condition.printed:
        draw(sheet, box, rng)
    pen = max(rng.uniform(*condition.pen) * condition.height, 1.0)
    tint = np.array(condition.tints[rng.integers(len(condition.tints))])
    colour = np.clip(condition.paper - condition.contrast * tint, 0, 255)
    written = [stroke + box.corner for stroke in strokes]
    for mark in condition.marks:
        written += mark(box, sheet.shape[:2], rng)
    ink(sheet, written, pen, colour, condition.texture, rng)
    return box.centre


def _view(corner: np.ndarray, centre: np.ndarray, turn: float, tilt: np.ndarray) -> np.ndarray:
    """The matrix [3, 3] from a sheet to the picture, in which the digit keeps its place and size: turned by so many
    degrees, and tilted by so much per px."""
    angle = np.radians(turn)
    turned = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [*tilt, 1]])
    view: np.ndarray = _shift(centre + corner) @ turned @ _shift(-centre)
    return view


def _shift(by: np.ndarray) -> np.ndarray:
    matrix = np.eye(3)
    matrix[:2, 2] = by
    return matrix


def _lay(sheet: np.ndarray, view: np.ndarray, shape: Sequence[int], picture: np.ndarray | None) -> np.ndarray:
    """See a sheet on a ground, or fill the picture with it."""
    if picture is None:
        return cv2.warpPerspective(sheet, view, shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return cv2.warpPerspective(sheet, view, shape[::-1], dst=picture, borderMode=cv2.BORDER_TRANSPARENT)


def _expose(sheet: np.ndarray, condition: Condition, centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur the picture, and add light and noise; the light is 1 at the digit's centre."""
    if condition.blur:
        sheet = cv2.GaussianBlur(sheet, (0, 0), condition.blur)
    shape = sheet.shape[:2]
    light = condition.light(shape, centre, rng)
    column, row = np.clip(centre, 0, (shape[1] - 1, shape[0] - 1)).astype(int)
    light /= light[row, column]
    noise = condition.noise * _noise(shape, rng)
    planes = []
    for plane in cv2.split(sheet):
        exposed = cv2.multiply(plane, light, dtype=cv2.CV_32F) + noise
        if condition.colour_noise:
            patches = condition.colour_noise * _noise((shape[0] // 4, shape[1] // 4), rng)
            exposed += cv2.resize(patches, shape[::-1])
        planes.append(np.clip(exposed, 0, 255).astype(np.uint8))
    return cv2.merge(planes)


@cache
def _much_noise() -> np.ndarray:
    """Drawn once, since drawing it takes longer than all the rest of a picture."""
    return np.random.default_rng(0).standard_normal(3_000_000, np.float32)


def _noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise float32 [h, w] of unit deviation."""
    count = shape[0] * shape[1]
    start = rng.integers(len(_much_noise()) - count)
    return _much_noise()[start : start + count].reshape(shape)
