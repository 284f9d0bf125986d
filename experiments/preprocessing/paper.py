"""Find the ink on photographed or scanned paper: its contrast to the paper around it, without shadow and grain."""

from collections.abc import Iterator

import cv2
import numpy as np

from experiments.preprocessing import marks
from experiments.preprocessing.marks import Writing
from experiments.preprocessing.scaling import shrink

PHOTO_SIDE = 1024  # px; larger photos are reduced to this first
COARSE = 160  # px: the longer side of the picture in which the paper is looked for
WINDOW = 0.5  # of the shorter side: so wide that most of it is paper wherever it lies, even over a digit
DETAILED = 0.15  # of the shorter side: the same once the ink is covered up
SMOOTHING = 0.8  # px: deviation of the Gaussian against grain
GRAINS = 5  # deviations of the grain that are no ink
UNEVEN = 2  # grey levels by which paper differs from its level besides
MIN_CONTRAST = 10  # grey levels (of 255) between paper and ink; less is JPEG's noise
GROUND = 15  # grey levels by which a sheet differs from the ground it lies on, at least
PART = 0.01  # the same of what is written elsewhere; the edge of a sheet is larger than a digit
CONVEX = 0.92  # share of its convex hull that a sheet fills, at least
SHEET = 0.15  # share of the photo that a sheet takes, at least
MOST = 0.6  # share of all that is written which lies on the sheet, at least, if that is all that counts
WIDE = 0.1  # of the photo's shorter side: half the width of a sheet's free paper, at least; a stroke is narrower
WHOLE = 0.9  # share of the photo above which nothing lies around a sheet


def writing_on(grey: np.ndarray, rows: bool = False) -> tuple[Writing, float]:
    """Find the writing in a photo uint8 [H, W], of dark or light ink, with the contrast below which there is none.
    rows: all of it, else what may be one digit."""
    grey = shrink(grey, PHOTO_SIDE)
    small = shrink(grey, COARSE)
    whole = _best(grey, small, np.ones_like(small), rows)
    sheets = [_best(grey, small, sheet, rows) for sheet in _sheets(small)]
    best = max(sheets, key=lambda found: found[0].score, default=whole)
    return best if _hides(whole[0], best[0]) else whole


def _hides(whole: Writing, sheet: Writing) -> bool:
    """Whether what seems written on the whole photo is the edge of a sheet, with or without what is written on it.

    A shadow may part a photo, too; then no more than a part of a digit would be found on either side.
    """
    both = np.count_nonzero((whole.contrast > 0) & (sheet.contrast > 0))
    apart = both < 0.5 * np.count_nonzero(sheet.contrast)
    enough = PART if apart or whole.likeness < 0.5 else MOST
    return sheet.score > enough * whole.score


def _best(grey: np.ndarray, small: np.ndarray, sheet: np.ndarray, rows: bool) -> tuple[Writing, float]:
    """What looks most like writing on one sheet, a mask of `small`."""
    relief = _relief(grey, _paper(small, sheet))
    inside = cv2.resize(sheet, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    threshold = max(MIN_CONTRAST, GRAINS * min(_deviation(relief[inside > 0]), UNEVEN + grain(grey)))
    sides = [np.clip(side, 0, 255).astype(np.uint8) * inside for side in (relief, -relief)]
    return max(
        (marks.writing(side, threshold, inside, rows) for side in sides), key=lambda found: found.score
    ), threshold


def _deviation(values: np.ndarray) -> float:
    """The standard deviation of most of the values: what a few that differ widely have no part in."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else 0.0


def grain(grey: np.ndarray) -> float:
    """The deviation of the grain that SMOOTHING leaves in uint8 [h, w]."""
    fine = grey[::2, ::2].astype(np.float32)  # neighbours within a JPEG's block are alike
    return _deviation(fine - cv2.GaussianBlur(fine, (0, 0), 1.5))


def has_edges(grey: np.ndarray) -> bool:
    """Whether uint8 [H, W] shows more than empty paper in a soft light."""
    small = cv2.GaussianBlur(shrink(grey, COARSE), (0, 0), 1)
    steps = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return cv2.norm(steps, cv2.NORM_INF) > MIN_CONTRAST


def _relief(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """How much darker each pixel of uint8 [h, w] is than its paper: float32 [h, w], as if all were lit alike."""
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    bright = float(np.percentile(paper[::4, ::4], 90))
    smooth = cv2.GaussianBlur(grey, (0, 0), SMOOTHING).astype(np.float32)
    relief: np.ndarray = (paper - smooth) * (bright / np.maximum(paper, max(bright / 3, 1)))
    return relief


def _paper(small: np.ndarray, sheet: np.ndarray) -> np.ndarray:
    """The level of a sheet's paper under each pixel of uint8 [h, w]: uint8 [h, w]. A median keeps hard shadows."""
    if not sheet.all():
        _, nearest = cv2.distanceTransformWithLabels(1 - sheet, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        level = np.zeros(nearest.max() + 1, np.uint8)
        level[nearest[sheet > 0]] = small[sheet > 0]
        small = level[nearest]
    paper = _median(small, WINDOW)
    covered = np.where(cv2.absdiff(small, paper) > MIN_CONTRAST, paper, small)
    return cv2.GaussianBlur(_median(covered, DETAILED), (0, 0), 1)


def _median(small: np.ndarray, window: float) -> np.ndarray:
    side = max(3, int(min(small.shape) * window) | 1)
    half = side // 2
    padded = cv2.copyMakeBorder(small, half, half, half, half, cv2.BORDER_REFLECT)  # or a frame would fill its corners
    filtered: np.ndarray = cv2.medianBlur(padded, side)
    return filtered[half:-half, half:-half]


def _sheets(small: np.ndarray) -> Iterator[np.ndarray]:
    """The sheets and grounds in a photo uint8 [h, w] of more than one: masks uint8 [h, w], without their rims."""
    smooth = cv2.medianBlur(small, 9 if min(small.shape) > 9 else 3)
    _, bright = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for region in (bright, 1 - bright):
        outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            sheet = cv2.drawContours(np.zeros_like(small), [outline], -1, 1, cv2.FILLED)
            inner = cv2.distanceTransform(np.pad(cv2.min(region, sheet), 1), cv2.DIST_L2, 3).max()
            convex = cv2.contourArea(outline) > CONVEX * cv2.contourArea(cv2.convexHull(outline))
            if (
                convex
                and _step(smooth, sheet) > GROUND
                and SHEET < sheet.mean() < WHOLE
                and inner > WIDE * min(small.shape)
            ):
                yield cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1)


def _step(smooth: np.ndarray, sheet: np.ndarray) -> float:
    """By how many grey levels uint8 [h, w] changes nearly all along the edge of a sheet: light changes slowly."""
    rim = (sheet > cv2.erode(sheet, np.ones((3, 3), np.uint8), borderValue=1)) > 0
    if not rim.any():
        return 0.0
    near = np.ones((9, 9), np.uint8)
    return float(np.percentile(cv2.subtract(cv2.dilate(smooth, near), cv2.erode(smooth, near))[rim], 10))
