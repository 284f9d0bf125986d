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
    pieces = np.zeros(small.shape, np.int32)
    columns = np.arange(small.shape[1])
    for path in _choose(small, *_paths(small), most):
        pieces += columns[None, :] > path[:, None]
    return cv2.resize(pieces, mask.shape[::-1], interpolation=cv2.INTER_NEAREST)


def _scaled(mask: np.ndarray, height: float) -> np.ndarray:
    scale = SCALE / height
    size = [max(2, round(side * scale)) for side in mask.shape[::-1]]
    smooth = cv2.resize(mask * 255, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return (smooth > 127).view(np.uint8)


def _paths(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest path from each column of the top row: its columns int [h, w], and its cost float32 [w]."""
    height, width = ink.shape
    price = np.pad(np.where(ink > 0, 1.0, PAPER).astype(np.float32), ((0, 0), (REACH, REACH)), constant_values=np.inf)
    prices = np.lib.stride_tricks.sliding_window_view(price, 2 * REACH + 1, axis=1)  # by start and offset
    cost = np.full((height, width, 2 * REACH + 3), np.inf, np.float32)  # with a margin on either side
    cost[0, :, REACH + 1] = price[0, REACH : REACH + width]
    cheapest = np.empty((width, 2 * REACH + 1), np.float32)
    for y in range(1, height):
        before = cost[y - 1]
        np.minimum(before[:, :-2], before[:, 2:], out=cheapest)
        cheapest += np.float32(SIDEWAYS)
        np.minimum(cheapest, before[:, 1:-1], out=cheapest)
        np.add(cheapest, prices[y], out=cost[y, :, 1:-1])
    return _followed(cost), cost[-1].min(1)


def _followed(cost: np.ndarray) -> np.ndarray:
    """The columns, int [h, w], of the paths that cost float32 [h, w, offsets] leads to, from their cheapest ends up."""
    height, width, offsets = cost.shape
    starts = np.arange(width) * offsets
    places = np.empty((height, width), np.int64)  # start and offset, in one number
    places[-1] = starts + cost[-1].argmin(1)
    for y in range(height - 1, 0, -1):
        place, before = places[y], cost[y - 1].ravel()
        left = before.take(place - 1) + np.float32(SIDEWAYS)
        right = before.take(place + 1) + np.float32(SIDEWAYS)
        aside = np.minimum(left, right) < before.take(place)
        places[y - 1] = place + aside * np.where(left <= right, -1, 1)
    columns: np.ndarray = places - starts + np.arange(width) - REACH - 1
    return columns.clip(0, width - 1)


def _choose(ink: np.ndarray, paths: np.ndarray, cost: np.ndarray, most: int) -> list[np.ndarray]:
    """The cheapest paths, int [h] each, that cross ink at places apart."""
    width = ink.shape[1]
    pen = 2 * float(cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 3).max())
    crossed = np.take_along_axis(ink, paths, 1) > 0
    mean = np.where(crossed, paths, 0).sum(0) / np.maximum(crossed.sum(0), 1)
    places = np.where(crossed.any(0), mean, paths.mean(0)).tolist()
    chosen = list[int]()
    for start in np.argsort(cost, kind="stable").tolist():
        if len(chosen) == most or cost[start] > THICK * pen + 2:
            break
        place = places[start]
        if APART <= place < width - APART and all(abs(place - places[other]) >= APART for other in chosen):
            chosen.append(start)
    return [paths[:, start] for start in chosen]
