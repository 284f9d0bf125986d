"""Prepare a drawing as an image like MNIST's, the same way in training, evaluation and serving."""

import cv2
import numpy as np

from experiments.preprocessing.decoding import as_rgba
from experiments.preprocessing.ink import find_ink, median
from experiments.preprocessing.scaling import Box

SIDE = 28  # px of an MNIST image
BOX = 20.0  # px: MNIST fits the longer side of a digit into this
STROKE = (1.9, 3.2)  # px: MNIST's usual stroke widths; thinner and thicker pens are brought to the nearest
MAX_THINNING = BOX / 4 - STROKE[1]  # px: what a pen as wide as a quarter of its digit needs; a wider one stays a blot
WORK = 80  # px: the longer side of a digit while its outline is worked on


def prepare_drawing(pixels: np.ndarray) -> np.ndarray | None:
    """Prepare pixels uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], of any polarity, size and position.

    Returns uint8 [28, 28, 1], 0 = paper: the digit in MNIST's 20 px box, centred at its centre of mass, with a stroke
    width near MNIST's. None if nothing is drawn. Raises ImageError for any other array.
    """
    located = locate_drawing(pixels)
    return None if located is None else located[0]


def locate_drawing(pixels: np.ndarray) -> tuple[np.ndarray, Box] | None:
    """Prepare likewise, and say where on the pixels what was drawn is."""
    found = find_ink(as_rgba(pixels))
    return None if found is None else (normalise_ink(found[0]), found[1])


def normalise_ink(ink: np.ndarray) -> np.ndarray:
    """Normalise ink float32 [h, w], 0 = paper to 1 = ink, cropped to the ink. Returns uint8 [28, 28, 1]."""
    distance = _outline_distance(ink)
    stroke = min(_stroke_width(distance), WORK / 2)  # otherwise a blot that is all stroke would leave nothing to scale
    width = stroke * BOX / WORK
    target = max(float(np.clip(width, *STROKE)), width - MAX_THINNING)
    scale = (BOX - target) / (WORK - stroke)  # px of the result per px here, between the middles of the outer strokes
    distance -= (target / scale - stroke) / 2  # moves the outline out for a thin pen, in for a thick one
    return _render(distance, scale)


def _outline_distance(ink: np.ndarray) -> np.ndarray:
    """The distance to the ink's outline in px, negative inside: float32 [h, w] at WORK scale with a margin."""
    scale = WORK / max(ink.shape)
    size = [max(1, round(side * scale)) for side in ink.shape[::-1]]
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    margin = WORK // 5  # room for a thin pen's outline to move out
    solid = (ink >= min(1, ink.max()) / 2).view(np.uint8)  # a hairline is faint after scaling
    solid = cv2.copyMakeBorder(solid, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
    distance: np.ndarray = cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5)
    distance -= cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    return distance


def _stroke_width(distance: np.ndarray) -> float:
    """The median stroke width in px, measured along the ridge of the distance inside the ink."""
    depth = np.maximum(-distance, 0)
    ridge = (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    return 2 * median(depth[ridge]) - 1


def _render(distance: np.ndarray, scale: float) -> np.ndarray:
    """Render the outline, scaled and centred, with 4 by 4 samples per pixel: uint8 [28, 28, 1]."""
    moments = cv2.moments(np.clip(0.5 - distance, 0, 1))
    centre_x, centre_y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    zoom, middle = 4 * scale, 4 * SIDE / 2 + 1.5  # MNIST's centre is the middle of pixel 14
    place = np.array([[zoom, 0, middle - zoom * centre_x], [0, zoom, middle - zoom * centre_y]])
    fine = cv2.warpAffine(distance, place, (4 * SIDE, 4 * SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=99)
    fine = np.clip(0.5 - fine * zoom, 0, 1)
    image: np.ndarray = cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA) * 255
    return image.round().astype(np.uint8)[..., np.newaxis]


def slant(images: np.ndarray, by: float) -> np.ndarray:
    """Shear images uint8 [N, H, W, 1] about their middle, by so many px to the right per px downwards."""
    height, width = images.shape[1:3]
    matrix = np.array([[1, by, -by * (height - 1) / 2], [0, 1, 0]])
    return np.stack([cv2.warpAffine(image, matrix, (width, height)) for image in images])[..., np.newaxis]
