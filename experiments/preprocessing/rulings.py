"""Take rulings out of a picture of writing: the straight lines that run across it, one way or both."""

import cv2
import numpy as np

from experiments.preprocessing.scaling import shrink

COARSE = 320  # px: the longer side at which lines are looked for
SLOPE = 20  # degrees by which rulings may be turned
ACROSS = 0.7  # share of a line's way across the picture that is marked, at least
SHORTEST = 0.4  # share of the picture's side that a line has to be long to be looked at
THIN = 0.02  # of the picture's longer side: the thickness of a ruling, at most; a bar is thicker
STRONGER = 1.5  # times a line's contrast: what crosses it with more is ink


def without_rulings(contrast: np.ndarray, least: float) -> np.ndarray:
    """Clear the lines that run across uint8 [h, w], marked by more than `least`; strokes that cross one stay."""
    for turned in (False, True):
        plane = contrast.T if turned else contrast
        for line in _lines(plane, least):
            plane = _without(plane, line, least)
        contrast = plane.T if turned else plane
    return np.ascontiguousarray(contrast)


def _lines(contrast: np.ndarray, least: float) -> list[np.ndarray]:
    """The lines from left to right: the height y float32 [w] of each, px."""
    small = shrink(contrast, COARSE)
    mask = (small > least).view(np.uint8)
    height, width = mask.shape
    middle, most = np.pi / 2, np.radians(SLOPE)
    votes = int(SHORTEST * width)
    found = cv2.HoughLines(mask, 1, np.radians(0.5), votes, min_theta=middle - most, max_theta=middle + most)
    if found is None:
        return []
    near = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    x = np.arange(width)
    lines: list[np.ndarray] = []
    for rho, theta in found[:200, 0]:
        y = (rho - x * np.cos(theta)) / np.sin(theta)
        rows = y.round().astype(int)
        inside = (rows >= 0) & (rows < height)
        marked = near[rows[inside], x[inside]]
        if inside.sum() < SHORTEST * width or marked.mean() < ACROSS:
            continue
        if all(np.abs(y - other).min() > 3 for other in lines):
            lines.append(y)
    scale = contrast.shape[1] / width
    across = np.arange(contrast.shape[1]) / scale
    return [np.interp(across, x, y) * scale for y in lines]


def _without(contrast: np.ndarray, line: np.ndarray, least: float) -> np.ndarray:
    """Clear one line, whose height in px is float [w], from uint8 [h, w]."""
    height, width = contrast.shape
    reach = max(3, round(width / COARSE) + 3)
    rows = line.round().astype(int)[None, :] + np.arange(-3 * reach, 3 * reach + 1)[:, None]
    columns = np.broadcast_to(np.arange(width), rows.shape)
    band = np.where((rows >= 0) & (rows < height), contrast[rows.clip(0, height - 1), columns], 0)
    mask = band > least
    core = mask[2 * reach : -2 * reach]
    thick = np.median(core.sum(0)[core.any(0)]) if core.any() else 0
    if thick > THIN * max(height, width):
        return contrast
    level = np.median(band[2 * reach : -2 * reach].max(0))
    tall = mask.sum(0) > 2 * thick + 2  # a stroke crosses here
    clear = np.zeros_like(mask)
    clear[2 * reach : -2 * reach] = core
    clear &= ~((band > STRONGER * level) | tall)
    cleared = contrast.copy()
    inside = clear & (rows >= 0) & (rows < height)
    cleared[rows[inside], columns[inside]] = 0
    return cleared
