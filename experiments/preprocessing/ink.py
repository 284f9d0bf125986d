"""Find the ink in a picture of a drawing: from a pad, scan or phone photo, dark on light or light on dark."""

from functools import reduce

import cv2
import numpy as np

MIN_CONTRAST = 24  # grey levels (of 255) between paper and ink; less is noise or JPEG ringing
FLAT = 3  # grey levels within which paper counts as uniform
UNEVEN = 0.25  # share of pixels that are neither paper nor ink, above which the picture is a photo
SPECKLE = 0.02  # share of all ink below which a blot is dirt, not a stroke
MAX_SIDE = 1024  # px; larger pictures are reduced to this first
PHOTO_SIDE = 512  # px; larger photos are reduced to this before shadows are removed
DETAIL = 160  # px; larger ink is reduced to this once found


def find_ink(pixels: np.ndarray) -> np.ndarray | None:
    """Find the ink in RGBA uint8 [H, W, 4]: float32 [h, w], 0 = paper to 1 = ink, cropped to the ink; None if blank."""
    planes = _flatten_alpha(_trim(_reduce(pixels, MAX_SIDE)))
    contrast = _contrast_to_paper(planes)
    if _is_photo(contrast):
        contrast = _remove_shadows(
            planes[0] if len(planes) == 1 else cv2.cvtColor(cv2.merge(planes), cv2.COLOR_RGB2GRAY)
        )
    contrast = _reduce(_crop(contrast, contrast > MIN_CONTRAST), DETAIL)
    level = _full_ink(contrast)
    if level is None:
        return None
    strokes = _without_speckle((contrast > level / 2).view(np.uint8))
    around = cv2.dilate(strokes, np.ones((3, 3), np.uint8))  # keeps the soft edges
    ink = _crop(contrast * around, strokes).astype(np.float32)
    return np.minimum(ink / level, 1)


def median(values: np.ndarray) -> float:
    """The median of a few values, in a fifth of the time that np.median takes."""
    ordered = np.sort(values, axis=None)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def _trim(pixels: np.ndarray) -> np.ndarray:
    """Trim the uniform margin of uint8 [H, W, 4] to one px: most of a drawing's sheet needs no further work."""
    words = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    left, top, width, height = cv2.boundingRect((words != words[0, 0]).view(np.uint8))
    if not width:
        return pixels[:1, :1]
    return pixels[max(top - 1, 0) : top + height + 1, max(left - 1, 0) : left + width + 1]


def _crop(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Crop [H, W] to the bounding box of a mask bool or uint8 [H, W]; [0, 0] if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return values[top : top + height, left : left + width]


def _reduce(pixels: np.ndarray, side: int) -> np.ndarray:
    """Shrink uint8 [H, W] or [H, W, C], possibly empty, until no side is longer than so many px."""
    scale = side / max(1, *pixels.shape[:2])
    return pixels if scale >= 1 else _scale(pixels, scale)


def _scale(pixels: np.ndarray, scale: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    linear = scale >= 0.5  # skips no pixel then, and takes a sixth of the time
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR if linear else cv2.INTER_AREA)


def _flatten_alpha(pixels: np.ndarray) -> list[np.ndarray]:
    """Put uint8 [H, W, 4] on white paper: three planes uint8 [H, W], or one if all are equal. White ink on transparent
    ground is read from its alpha."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGBA2GRAY)
    if np.array_equal(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGBA), pixels):  # such as a pad's sheet
        return [grey]
    alpha = cv2.extractChannel(pixels, 3)
    lowest, highest, _, _ = cv2.minMaxLoc(alpha)
    colours = [cv2.extractChannel(pixels, channel) for channel in range(3)]
    if lowest == 255:
        return colours
    paper = 255 - alpha
    flat = [cv2.add(cv2.multiply(colour, alpha, scale=1 / 255), paper) for colour in colours]
    if min(plane.min() for plane in flat) > 255 - MIN_CONTRAST and highest - lowest > MIN_CONTRAST:
        return [paper]
    return flat


def _contrast_to_paper(planes: list[np.ndarray]) -> np.ndarray:
    """The greatest difference of each pixel from the paper, whose colour is the border's median: uint8 [H, W]."""
    # OpenCV's stubs lack the scalars that it takes for arrays.
    contrasts = [cv2.absdiff(plane, median(_border(plane))) for plane in planes]  # type: ignore[call-overload]
    return reduce(cv2.max, contrasts)


def _border(plane: np.ndarray) -> np.ndarray:
    """The outermost pixels of uint8 [H, W]: uint8 [2 H + 2 W]."""
    return np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])


def _full_ink(contrast: np.ndarray) -> int | None:
    """The contrast of full ink in uint8 [h, w], None if there is no ink.

    It is the upper quartile of all marked pixels: margins make no difference, nor does a thin line that is half edge.
    """
    marked = contrast[contrast > MIN_CONTRAST]
    if not marked.size:
        return None
    quartile = 3 * marked.size // 4
    return max(int(np.partition(marked, quartile)[quartile]), 2 * MIN_CONTRAST)


def _is_photo(contrast: np.ndarray) -> bool:
    """Whether the paper has texture, shadow and noise, at its border too.

    A drawing has uniform paper and full ink with little in between; an enlarged one at least has a uniform border.
    """
    between = cv2.inRange(contrast, FLAT + 1, int(contrast.max()) // 2)
    return cv2.countNonZero(between) > UNEVEN * between.size and (_border(contrast) > FLAT).mean() > UNEVEN


def _remove_shadows(grey: np.ndarray) -> np.ndarray:
    """The contrast of ink to the paper around it in a photo uint8 [H, W], without shadow and grain: uint8 [h, w]."""
    grey = _reduce(grey, PHOTO_SIDE)
    grey = cv2.medianBlur(grey, 5 if max(grey.shape) > 128 else 3)
    contrast = max(_relief(grey), _relief(255 - grey), key=lambda relief: np.percentile(relief, 99.5))
    noise = 1.4826 * np.median(contrast)  # most of the photo is paper, so this is the deviation of its grain
    threshold = max(MIN_CONTRAST, 4 * noise, cv2.threshold(contrast, 0, 255, cv2.THRESH_OTSU)[0] * 0.8)
    contrast[contrast <= threshold] = 0
    return _without_frame(contrast)


def _relief(grey: np.ndarray) -> np.ndarray:
    """How much darker each pixel is than the paper around it, of dark ink in uint8 [h, w]: uint8 [h, w]."""
    small = _scale(grey, 0.25)
    side = max(3, max(small.shape) // 5 | 1)  # wider than any stroke, narrower than a shadow
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), side / 6)
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.clip(255 * (1 - grey / np.maximum(paper, 1)), 0, 255).astype(np.uint8)


def _without_speckle(mask: np.ndarray) -> np.ndarray:
    """Remove the blots too small to be strokes from a mask uint8 [h, w] of 0 and 1, DETAIL px at most."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    if count <= 2:  # paper and one blot
        return mask
    area = stats[:, cv2.CC_STAT_AREA]
    keep = area >= SPECKLE * area[1:].sum()
    keep[0] = False
    kept: np.ndarray = keep.astype(np.uint8)[labels]
    return kept


def _without_frame(contrast: np.ndarray) -> np.ndarray:
    """Remove what extends beyond the photo (a sheet's edge, a table) from uint8 [h, w], if anything else is left."""
    height, width = contrast.shape
    _, labels, stats, _ = cv2.connectedComponentsWithStats((contrast > 0).astype(np.uint8), connectivity=8)
    left, top, wide, high, area = stats.T
    outside = (left == 0) | (top == 0) | (left + wide == width) | (top + high == height)
    outside[0] = True  # the paper itself
    inside_area = area[~outside].sum()
    if inside_area < 0.002 * height * width:
        return contrast
    return np.where(outside[labels], 0, contrast).astype(np.uint8)
