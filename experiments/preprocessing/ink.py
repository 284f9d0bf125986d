"""Find the ink in a picture of a drawing: from a pad, scan or phone photo, dark on light or light on dark."""

from dataclasses import dataclass
from functools import reduce
from math import gcd

import cv2
import numpy as np

from experiments.preprocessing import paper
from experiments.preprocessing.displays import LEVEL, join_segments
from experiments.preprocessing.marks import around_writing, marks_of
from experiments.preprocessing.rulings import without_rulings
from experiments.preprocessing.scaling import Box, crop, place, shrink

MIN_CONTRAST = 24  # grey levels (of 255) between paper and ink; less is noise or JPEG ringing
LEAST = 5  # grey levels between paper and ink that anybody can see
FLAT = 3  # grey levels within which paper counts as uniform
GRAIN = 1  # the same, of a drawing that nobody photographed
EVEN = 0.25  # share of a drawing that is even paper, at least
PIXELS = 0.12  # the same, of few pixels that were enlarged
FEW = 32  # px: sides of a picture that show no stroke of a photo
BETWEEN = 0.1  # share of pixels that are neither paper nor ink, above which the picture may be a photo
FULL = 0.7  # share of its rectangle above which it may be a sheet rather than ink
STRAIGHT = 0.95  # share of the narrowest rectangle around it that a sheet fills, at least
BELOW = 2  # times its thickness: how far below an underline is, at least; the foot of a 1 is nearer
SLIM = 0.4  # share of its longer side above which that is so; a 1 fills its rectangle, too
SOFT = 2  # times as much as ink is what lies between it and the paper, in a drawing, at most
STROKE = 0.3  # thickness of a pen's strokes as a share of a drawing's size, at most
BLOT = 0.65  # the same of a few large pixels; thicker is a shadow or a sheet
FAINTEST = 0.6  # share of the ink's contrast with which the faintest stroke is compared
SPECKLE = 0.02  # share of all ink below which a blot is dirt, not a stroke
MAX_SIDE = 1024  # px; larger pictures are reduced to this first
DETAIL = 160  # px; larger ink is reduced to this once found
NEARBY = 13  # px of DETAIL: a stroke is compared with the strongest ink as near as this, not with all


@dataclass(frozen=True, eq=False)
class Sheet:
    """All that is written on a picture: contrast to its paper uint8 [h, w], where more than `least` is ink; and where
    its corner lies on the picture, px, and how many px of the picture one of it is."""

    contrast: np.ndarray
    least: int
    left: float
    top: float
    scale: float


def find_ink(pixels: np.ndarray) -> tuple[np.ndarray, Box] | None:
    """Find the ink in RGBA uint8 [H, W, 4]: float32 [h, w], 0 = paper to 1 = ink, cropped to the ink, and its box on
    the picture; None if blank."""
    sheet = find_writing(pixels)
    if sheet is None or (found := ink_of(sheet.contrast, sheet.least)) is None:
        return None
    return found[0], place(found[1], (sheet.left, sheet.top), (sheet.scale, sheet.scale), pixels.shape[1::-1])


def find_writing(pixels: np.ndarray, rows: bool = False) -> Sheet | None:
    """Find what is written on RGBA uint8 [H, W, 4]; None if nothing is. rows: of a photo all that is written, else what
    may be one digit."""
    small = shrink(pixels, MAX_SIDE)
    trimmed, left, top = _trim(small)
    scale = pixels.shape[1] / small.shape[1]
    if trimmed.shape[1] == 1:
        trimmed = np.repeat(trimmed, 2, axis=1)  # OpenCV takes a column of four values for a scalar
    planes = _flatten_alpha(trimmed)
    contrast = _contrast_to_paper(planes)
    least = _least(contrast)
    if (soft := _is_soft(contrast) and not _is_drawn(contrast, EVEN, STROKE)) or _is_a_sheet(contrast, least):
        grey = planes[0] if len(planes) == 1 else cv2.cvtColor(cv2.merge(planes), cv2.COLOR_RGB2GRAY)
        paler = cv2.absdiff(grey, float(np.bincount(grey.ravel()).argmax()))  # type: ignore[call-overload]
        if soft and _is_drawn_at_all(paler):
            contrast, least = paler, _least(paler)
        else:
            writing, weakest = paper.writing_on(grey, rows)
            if writing.score:
                return Sheet(writing.contrast, int(weakest), left * scale, top * scale, scale)
            if soft and not paper.has_edges(grey):
                return None
    if cv2.norm(_border(contrast), cv2.NORM_INF) > least:
        cleared = without_rulings(contrast, least)
        contrast = cleared if cleared.max() > least else contrast
    return Sheet(contrast, least, left * scale, top * scale, scale)


def _least(contrast: np.ndarray) -> int:
    """The contrast below which a drawing's paper is."""
    return min(MIN_CONTRAST, int(contrast.max()) // 2)


def ink_of(contrast: np.ndarray, least: int) -> tuple[np.ndarray, tuple[float, float, float, float]] | None:
    """The ink of one digit in contrast uint8 [H, W], where less than `least` is paper: float32 [h, w], 0 to 1, and its
    left, top, right and bottom there; None if blank."""
    left, top, width, height = cv2.boundingRect((contrast > least).view(np.uint8))
    if not width or least < LEAST:
        return None
    marked = contrast[top : top + height, left : left + width]
    times = _times(marked)  # or the corners of repeated pixels would be taken for the ink's
    contrast = shrink(marked[::times, ::times], DETAIL)
    level = _full_ink(contrast, least)
    if level is None:
        return None
    weakest = min(max(2 * least, int(FAINTEST * level)), 255)
    strongest = np.clip(cv2.dilate(contrast, np.ones((NEARBY, NEARBY), np.uint8)), np.uint8(weakest), np.uint8(level))
    strokes = _without_speckle((contrast > strongest // 2).view(np.uint8))
    if not strokes.any():
        return None
    broad = min(strokes.shape) > max(4, SLIM * max(strokes.shape))
    if broad and (strokes[4::16] != strokes[:-4:16]).any(1).mean() < LEVEL:
        strokes, contrast = join_segments(strokes, contrast)
    around = cv2.dilate(strokes, np.ones((3, 3), np.uint8))  # keeps the soft edges
    ink: np.ndarray = np.minimum(crop(contrast * around, strokes).astype(np.float32) / crop(strongest, strokes), 1)
    x, y, wide, high = cv2.boundingRect(strokes)
    wider, higher = width / contrast.shape[1], height / contrast.shape[0]
    return ink, (left + wider * x, top + higher * y, left + wider * (x + wide), top + higher * (y + high))


def median(values: np.ndarray) -> float:
    """The median of a few values, in a fifth of the time that np.median takes."""
    ordered = np.sort(values, axis=None)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def _trim(pixels: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Trim the uniform margin of uint8 [H, W, 4] to one px, and say from where: most of a drawing's sheet needs no
    further work."""
    words = np.ascontiguousarray(pixels).view(np.uint32)[..., 0]
    left, top, width, height = cv2.boundingRect((words != words[0, 0]).view(np.uint8))
    if not width:
        return pixels[:1, :1], 0, 0
    right, bottom = left + width + 1, top + height + 1
    left, top = max(left - 1, 0), max(top - 1, 0)
    return pixels[top:bottom, left:right], left, top


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


def _times(contrast: np.ndarray) -> int:
    """How many times uint8 [H, W] was enlarged by repeated pixels."""
    height, width = contrast.shape
    if _step(contrast[height // 2]) == 1:  # as in nearly all, and told by one row
        return 1
    rows = (contrast[:, 1:] != contrast[:, :-1]).any(0)
    columns = (contrast[1:] != contrast[:-1]).any(1)
    return gcd(height, width, *(int(np.gcd.reduce(np.flatnonzero(changes) + 1)) for changes in (rows, columns)))


def _step(values: np.ndarray) -> int:
    """The distance by which all changes in values [n] lie apart, or a part of it; 0 if there is none."""
    return int(np.gcd.reduce(np.flatnonzero(values[1:] != values[:-1]) + 1))


def _is_enlarged(contrast: np.ndarray) -> bool:
    """Whether uint8 [H, W] was enlarged from a few pixels, repeated or with smooth steps between."""
    few = shrink(contrast, FEW)
    again = cv2.resize(few, contrast.shape[::-1], interpolation=cv2.INTER_CUBIC)
    smooth = cv2.norm(contrast, again, cv2.NORM_INF) < contrast.max() / 5
    marked = crop(contrast, contrast > GRAIN)
    return smooth or (marked.size > 0 and _times(marked) > 1)


def _full_ink(contrast: np.ndarray, least: int) -> int | None:
    """The contrast of full ink in uint8 [h, w], None if there is no ink.

    It is the upper quartile of all marked pixels: margins make no difference, nor does a thin line that is half edge.
    """
    marked = contrast[contrast > least]
    if not marked.size:
        return None
    quartile = 3 * marked.size // 4
    return min(max(int(np.partition(marked, quartile)[quartile]), 2 * least), 255)


def _is_soft(contrast: np.ndarray) -> bool:
    """Whether much is neither paper nor ink, as in a photo."""
    return cv2.countNonZero(cv2.inRange(contrast, FLAT + 1, int(contrast.max()) // 2)) > BETWEEN * contrast.size


def _is_a_sheet(contrast: np.ndarray, least: int) -> bool:
    """Whether what differs from the border is a sheet on a ground, or all that a frame surrounds, rather than ink."""
    height, width = contrast.shape
    if min(height, width) < SLIM * max(height, width):
        return False
    marked = cv2.inRange(contrast, least + 1, 255)
    if cv2.countNonZero(marked) < FULL * contrast.size:
        return False
    outline = max(cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
    rectangle = cv2.minAreaRect(outline)[1]
    return cv2.contourArea(outline) > STRAIGHT * rectangle[0] * rectangle[1]


def _is_drawn_at_all(contrast: np.ndarray) -> bool:
    """Whether it is drawn, but with strokes as wide as a few pixels that were enlarged have."""
    few = _is_enlarged(contrast)
    framed = (_border(contrast) <= GRAIN).mean() < EVEN  # or there is a ground around a sheet
    return _is_drawn(contrast, PIXELS if few else EVEN, np.inf if few else BLOT) and (few or not framed)


def _is_drawn(contrast: np.ndarray, even: float, thickest: float) -> bool:
    """Whether the paper is even and the rest strokes, not shadows, nor a sheet on a ground, nor all within a frame."""
    if (contrast <= GRAIN).mean() < even:
        return False
    half = int(contrast.max()) // 2
    between, ink = (cv2.countNonZero(cv2.inRange(contrast, *bounds)) for bounds in ((FLAT + 1, half), (half + 1, 255)))
    if between > SOFT * ink:
        return False
    marked = cv2.inRange(shrink(contrast, DETAIL), _least(contrast) + 1, 255)
    thickness = 2 * float(cv2.distanceTransform(np.pad(marked, 1, mode="edge"), cv2.DIST_L2, 3).max())
    return thickness < thickest * max(cv2.boundingRect(marked)[2:])


def _without_speckle(mask: np.ndarray) -> np.ndarray:
    """Remove what is no stroke from a mask uint8 [h, w] of 0 and 1, DETAIL px at most: dirt, and what is around ink."""
    found = marks_of(mask)
    if len(found.area) <= 2:  # paper and one blot
        return mask
    keep = found.area >= SPECKLE * found.area[1:].sum()
    keep[0] = False
    keep &= ~around_writing(found, keep, BELOW)
    kept: np.ndarray = keep.astype(np.uint8)[found.labels]
    return kept
