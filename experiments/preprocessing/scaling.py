"""Shrink and crop arrays of pixels."""

import cv2
import numpy as np


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
