"""Cut a mark where digits may touch: along the paths from top to bottom that cross the least ink."""

import cv2
import numpy as np

SCALE = 56  # px: a digit's height at which paths are looked for
REACH = 22  # px of SCALE: how far a path may wander from where it begins
APART = 7  # px of SCALE between the places where two paths cross ink, at least
THICK = 2.6  # pens' widths of ink that a path may cross
SIDEWAYS = 0.35  # what a step aside costs, in px of ink
PAPER = 0.01  # what a px of paper costs


def cut(mask: np.ndarray, height: float, most: int) -> np.ndarray:
    """Cut a mark, uint8 [h, w], of digits of about this height in px: the number of its piece for each pixel, from left
    to right, int32 [h, w]. There are at most `most` cuts."""
    small = _scaled(mask, height)
    ends, cost, steps = _paths(small)
    chosen = _choose(small, ends, cost, steps, most)
    columns = np.arange(small.shape[1])
    pieces = np.zeros(small.shape, np.int32)
    for path in chosen:
        pieces += columns[None, :] > path[:, None]
    return cv2.resize(pieces, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)


def _scaled(mask: np.ndarray, height: float) -> np.ndarray:
    scale = SCALE / height
    size = [max(2, round(side * scale)) for side in mask.shape[::-1]]
    smooth = cv2.resize(mask * 255, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return (smooth > 127).view(np.uint8)


def _paths(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cheapest path from each column of the top row: where it ends int [w], its cost float32 [w], and the steps
    back int8 [h, w, offsets]."""
    height, width = ink.shape
    offsets = np.arange(-REACH, REACH + 1)
    columns = np.arange(width)[:, None] + offsets
    inside = (columns >= 0) & (columns < width)
    columns = columns.clip(0, width - 1)
    price = np.where(ink > 0, 1.0, PAPER).astype(np.float32)
    cost = np.full((width, len(offsets)), np.inf, np.float32)
    cost[:, REACH] = price[0]
    steps = np.zeros((height, width, len(offsets)), np.int8)
    far = np.full((width, 1), np.inf, np.float32)
    for y in range(1, height):
        left = np.hstack([far, cost[:, :-1]]) + np.float32(SIDEWAYS)
        right = np.hstack([cost[:, 1:], far]) + np.float32(SIDEWAYS)
        cheaper = np.minimum(left, right)
        steps[y] = np.where(cheaper < cost, np.where(left <= right, -1, 1), 0)
        cost = np.minimum(cost, cheaper) + np.where(inside, price[y][columns], np.inf)
    ends = cost.argmin(1)
    return ends, cost.min(1), steps


def _choose(ink: np.ndarray, ends: np.ndarray, cost: np.ndarray, steps: np.ndarray, most: int) -> list[np.ndarray]:
    """The cheapest paths, int [h] each, that cross ink at places apart."""
    height, width = ink.shape
    pen = 2 * float(cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 3).max())
    chosen, places = list[np.ndarray](), list[float]()
    for start in np.argsort(cost, kind="stable").tolist():
        if len(chosen) == most or cost[start] > THICK * pen + 2:
            break
        path = _follow(start, int(ends[start]), steps)
        crossed = np.flatnonzero(ink[np.arange(height), path])
        place = float(path[crossed].mean()) if len(crossed) else float(path.mean())
        if not APART <= place < width - APART or any(abs(place - other) < APART for other in places):
            continue
        chosen.append(path)
        places.append(place)
    return chosen


def _follow(start: int, end: int, steps: np.ndarray) -> np.ndarray:
    path = np.empty(steps.shape[0], np.int64)
    offset = end
    for y in range(steps.shape[0] - 1, -1, -1):
        path[y] = start + offset - REACH
        offset += int(steps[y, start, offset])
    return path.clip(0, steps.shape[1] - 1)
