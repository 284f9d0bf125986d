"""Augmentation: vary each image at random in each epoch."""

import cv2
import numpy as np


def warp(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotate, slant, stretch, shift, bend and thicken images uint8 [N, H, W, 1]."""
    return _warp(images, rng, strength=1)


def warp_gently(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change them half as much."""
    return _warp(images, rng, strength=0.5)


def warp_strongly(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change them half as much again."""
    return _warp(images, rng, strength=1.5)


def _warp(images: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """strength: factor of all deviations."""
    count, height, width = images.shape[:3]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    centred = np.stack([columns - (width - 1) / 2, rows - (height - 1) / 2], axis=-1)  # float32 [H, W, 2]: x, y
    affine = _affine(count, rng, strength)  # [N, 2, 2]
    shift = rng.normal(0, 0.7 * strength, (count, 2)).astype(np.float32)  # px
    bend = rng.normal(0, 0.6 * strength, (count, 5, 5, 2)).astype(np.float32)  # px, on a coarse grid
    weight = np.clip(rng.normal(1, 0.2 * strength, count), 0.5, 1.8)  # of the ink, as with the pen's pressure
    centre = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    warped = np.empty_like(images)
    for i in range(count):
        grid = centred @ affine[i] + cv2.resize(bend[i], (width, height), interpolation=cv2.INTER_CUBIC)
        moved = cv2.remap(  # type: ignore[call-overload] # OpenCV's stubs lack None for one map of x and y
            images[i], grid + (centre + shift[i]), None, cv2.INTER_LINEAR, borderValue=0
        )
        warped[i, ..., 0] = cv2.convertScaleAbs(moved, alpha=weight[i])
    return warped


def unchanged(images: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Return the images as they are, for comparison."""
    return images


def flip_shift_cut(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mirror half of the images uint8 [N, H, W, C], shift each by up to an eighth of its side, and cut out a square of
    a third of its side."""
    count, height, width = images.shape[:3]
    margin, side = height // 8, height // 3
    padded = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")
    tops, lefts = rng.integers(0, 2 * margin + 1, (2, count))
    holes = rng.integers(-side // 2, (height - side // 2, width - side // 2), (count, 2))
    mean = images.mean((0, 1, 2)).astype(np.uint8)
    changed = np.empty_like(images)
    mirror = rng.random((count,)) < 0.5
    for i, (top, left, mirrored, hole) in enumerate(zip(tops, lefts, mirror, holes, strict=True)):
        cut = padded[i, top : top + height, left : left + width]
        changed[i] = cut[:, ::-1] if mirrored else cut
        y, x = np.maximum(hole, 0)
        changed[i, y : hole[0] + side, x : hole[1] + side] = mean
    return changed


def _affine(count: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Matrices float32 [N, 2, 2] with standard deviations of 5 degrees of turn, 0.1 of slant, and 7 % of each scale,
    times `strength`."""
    turn, slant = rng.normal(0, 0.09 * strength, count), rng.normal(0, 0.1 * strength, count)
    wide, high = np.exp(rng.normal(0, 0.07 * strength, (2, count)))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.stack([wide * cos, wide * (slant * cos - sin), high * sin, high * (slant * sin + cos)], axis=-1)
    return matrix.reshape(count, 2, 2).astype(np.float32)
