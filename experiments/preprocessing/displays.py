"""Digits on a display of seven segments, level and upright bars with gaps between."""

import cv2
import numpy as np

LEVEL = 0.4  # share of rows that differ from those 4 px below, under which all may be level and upright bars
BAR = 0.2  # length of a segment as a share of the digit's, at least
BARS = 0.95  # share of the ink that is bars, at least
GAP = 0.1  # between its segments, at most


def join_segments(strokes: np.ndarray, contrast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join the segments of a digit on a display, level and upright bars with gaps: strokes, a mask, and contrast, both
    uint8 [h, w]."""
    bar, gap = (max(1, round(share * max(strokes.shape))) for share in (BAR, GAP))
    bars = [cv2.morphologyEx(strokes, cv2.MORPH_OPEN, np.ones(size, np.uint8)) for size in ((1, bar), (bar, 1))]
    slanted = (strokes[:, 4:] != strokes[:, :-4]).any(0).mean() > LEVEL
    if slanted or cv2.countNonZero(cv2.max(*bars)) < BARS * cv2.countNonZero(strokes):
        return strokes, contrast
    margin = cv2.copyMakeBorder(strokes, gap, gap, gap, gap, cv2.BORDER_CONSTANT, value=0)
    joined = cv2.morphologyEx(margin, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))[gap:-gap, gap:-gap]
    return joined, np.where(joined > strokes, np.uint8(255), contrast)
