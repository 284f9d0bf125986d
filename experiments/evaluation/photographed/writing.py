"""What a pen leaves on a sheet: strokes in ink, and marks around a digit made with the same pen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

WIDEST = 1.5  # a digit's width as a multiple of its height at most; what is wider is made less high
Strokes = Sequence[np.ndarray]
"""float [points, 2] each: x right, y down, in px of the sheet."""


@dataclass(frozen=True)
class Box:
    """The box of a digit on its sheet, in px."""

    left: float
    top: float
    width: float
    height: float

    @property
    def corner(self) -> np.ndarray:
        """float [2]: x and y of the upper left."""
        return np.array([self.left, self.top])

    @property
    def centre(self) -> np.ndarray:
        """float [2]: x and y."""
        return np.array([self.left + self.width / 2, self.top + self.height / 2])


Texture = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Changes a pen's coverage float32 [h, w], 0 = paper to 1 = ink."""
Mark = Callable[[Box, tuple[int, int], np.random.Generator], list[np.ndarray]]
"""Returns more strokes for a digit's box and a sheet's height and width."""


def fit(strokes: Strokes, height: float, widest: float) -> list[np.ndarray]:
    """Scale strokes to a height in px, and less where they would be wider than `widest`; from (0, 0) on."""
    points = np.concatenate(strokes)
    extent = np.maximum(np.ptp(points, axis=0), 1e-6)
    scale = min(height / extent[1], min(widest, WIDEST * height) / extent[0])
    return [(stroke - points.min(0)) * scale for stroke in strokes]


def ink(
    sheet: np.ndarray, strokes: Strokes, width: float, colour: np.ndarray, texture: Texture, rng: np.random.Generator
) -> None:
    """Ink strokes in a colour float [3] with a round pen so many px wide on a sheet uint8 [H, W, 3], in place."""
    points = np.concatenate(strokes)
    size = np.array(sheet.shape[1::-1])
    left, top = np.clip(np.floor(points.min(0) - width), 0, size).astype(int)
    right, bottom = np.clip(np.ceil(points.max(0) + width) + 1, 0, size).astype(int)
    if right <= left or bottom <= top:
        return
    zoom = 8 if width < 4 else 2  # finer steps for soft edges
    fine = np.zeros((zoom * (bottom - top), zoom * (right - left)), np.uint8)
    for stroke in strokes:
        path = ((stroke - (left, top)) * zoom * 16).round().astype(np.int32)  # sixteenths of a px
        path = np.concatenate([path, path[-1:]])  # a single point is a dot
        cv2.polylines(fine, [path], False, 255, max(1, round(width * zoom)), shift=4)
    coverage = cv2.resize(fine, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    part = sheet[top:bottom, left:right]
    share = texture(coverage.astype(np.float32) / 255, rng)[..., np.newaxis]
    part[:] = np.clip(part + (colour - part) * share, 0, 255).round().astype(np.uint8)


def solid(coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001 as every texture
    """Ink, toner, pixels."""
    return coverage


def pencil(coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Graphite stays on the paper's tooth."""
    return coverage * np.clip(0.85 + 0.3 * _grain(coverage.shape, 0.8, rng), 0.3, 1)


def chalk(coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Chalk leaves gaps and a soft edge of dust."""
    return np.clip(cv2.GaussianBlur(coverage, (0, 0), 1) * (0.85 + 0.4 * _grain(coverage.shape, 1.2, rng)), 0, 1)


def circle(box: Box, sheet: tuple[int, int], rng: np.random.Generator) -> list[np.ndarray]:  # noqa: ARG001
    """An uneven ring around the digit, which does not quite close."""
    angle = np.linspace(0, rng.uniform(5.9, 6.6), 60) + rng.uniform(0, 6.3)
    radius = (
        np.hypot(box.width, box.height)
        / 2
        * rng.uniform(1.25, 1.6)
        * (1 + 0.04 * np.sin(2 * angle + rng.uniform(0, 6.3)))
    )
    return [box.centre + np.stack([np.cos(angle), np.sin(angle)], axis=-1) * radius[:, np.newaxis]]


def underline(box: Box, sheet: tuple[int, int], rng: np.random.Generator) -> list[np.ndarray]:  # noqa: ARG001
    """A line under the digit that does not touch it."""
    reach = max(box.width, 0.5 * box.height) * rng.uniform(0.6, 0.9)
    level = box.top + box.height * rng.uniform(1.15, 1.3)
    ends = [[box.centre[0] - reach, level], [box.centre[0] + reach, level + rng.normal(0, 0.03) * box.height]]
    return [np.array(ends)]


def cut_off(box: Box, sheet: tuple[int, int], rng: np.random.Generator) -> list[np.ndarray]:
    """Parts of other writing that the picture's border cuts off: loops and strokes along its sides."""
    height, width = sheet
    strokes = []
    for _ in range(rng.integers(1, 4)):
        along = rng.uniform(0.05, 0.95)
        at = ((0, along * height), (width, along * height), (along * width, 0), (along * width, height))
        angle = np.linspace(0, rng.uniform(3, 7), 30) + rng.uniform(0, 6.3)
        size = box.height * rng.uniform(0.15, 0.35, 2)
        loop = np.array(at[rng.integers(4)]) + np.stack([np.cos(angle), np.sin(angle)], axis=-1) * size
        if np.abs(loop - box.centre).max(1).min() > 0.75 * max(box.width, box.height):  # keeps off the digit
            strokes.append(loop)
    return strokes


def _grain(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Noise float32 [h, w] of about unit deviation, smooth over so many px."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), sigma)
    return noise * np.float32(2 * np.sqrt(np.pi) * sigma)
