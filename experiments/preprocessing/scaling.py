"""Shrink and crop arrays of pixels."""

from collections.abc import Sequence

import cv2
import numpy as np

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in px, the first px included, the last not."""


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Shrink uint8 [H, W] or [H, W, C], possibly empty, until no side is longer than so many px."""
    scale = side / max(1, *pixels.shape[:2])
    return pixels if scale >= 1 else scale_by(pixels, scale)


def scale_by(pixels: np.ndarray, scale: float) -> np.ndarray:
    """Scale uint8 [H, W] or [H, W, C] by a factor below 1."""
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    linear = scale >= 0.5  # skips no pixel then, and takes a sixth of the time
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if linear else cv2.INTER_AREA)


def crop(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Crop [H, W] to the bounding box of a mask bool or uint8 [H, W]; [0, 0] if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return values[top : top + height, left : left + width]


def place(box: Sequence[float], corner: tuple[float, float], scale: tuple[float, float], size: tuple[int, int]) -> Box:
    """Place a box of a part of a picture on the picture, within its size and at least one px wide and high. corner: of
    the part, px of the picture; scale: px of the picture for one of the part; size: of the picture. x, then y."""
    left, right = (round(corner[0] + scale[0] * side) for side in box[::2])
    top, bottom = (round(corner[1] + scale[1] * side) for side in box[1::2])
    left, top = min(left, size[0] - 1), min(top, size[1] - 1)
    return left, top, max(min(right, size[0]), left + 1), max(min(bottom, size[1]), top + 1)
