"""A drawing becomes one image as MNIST has them; training, evaluation and serving share this module."""

import io
import struct
import warnings
from collections.abc import Iterator

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u8
from PIL import Image, ImageOps, UnidentifiedImageError

from experiments.ink import find_ink, median

SIDE = 28  # px of an MNIST image
BOX = 20.0  # px: MNIST fits the longer side of a digit into this
STROKE = (1.9, 3.2)  # px: MNIST's usual stroke widths; a thinner or thicker pen is brought to the nearest
MOST_THINNED = BOX / 4 - STROKE[1]  # px: what a pen a fourth of its digit wide needs; a wider one stays a blot
WORK = 80  # px: the longer side of a digit while its outline is worked on
MAX_PIXELS = 50_000_000
MAX_SCANS = 50  # of a progressive JPEG, each a pass over all its pixels; usual encoders write ten
SCAN = b"\xff\xda"  # how one begins; in a scan's own data no such bytes follow one another
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG = b"\x89PNG\r\n\x1a\n"  # how one begins
PIXELS_ONLY = {b"IHDR", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"IDAT", b"IEND"}  # chunks of a PNG
PNG_KINDS = {(8, 0): "mono", (8, 2): "rgb", (8, 6): "rgba"}  # bits of a value and colour type -> what it is decoded as


class ImageError(ValueError):
    """The picture can't be used; the text says why, for whoever sent it."""


def decode_image(data: bytes) -> np.ndarray:
    """An encoded picture (first frame, turned upright). Returns uint8 [H, W, 4] RGBA; ImageError if it can't be."""
    if (pixels := _decode_png(data)) is not None:
        return as_rgba(pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(f"The picture has more than {MAX_PIXELS:,} pixels. Send a smaller one.")
                if image.format == "JPEG" and data.count(SCAN) > MAX_SCANS:
                    raise ImageError(f"The JPEG has more than {MAX_SCANS} scans. Save it anew as an ordinary one.")
                image.draft("RGB", (1024, 1024))  # a JPEG decodes at a fraction of its size, many times faster
                ImageOps.exif_transpose(image, in_place=True)
                if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip rather than scale
                    return np.asarray(Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGBA"))
                return np.asarray(image if image.mode == "RGBA" else image.convert("RGBA"))  # convert would copy
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(f"This is no picture of a kind read here ({', '.join(FORMATS)}).") from None
    except Exception as error:  # Pillow's plug-ins raise almost anything on broken files
        raise ImageError(f"The picture is damaged or incomplete ({error}). Save it again and resend it.") from None


def prepare_drawing(pixels: np.ndarray) -> np.ndarray | None:
    """pixels: uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], any polarity, size and place.

    Returns uint8 [28, 28, 1], 0 = paper, the digit in MNIST's 20 px box around its centre of mass with a stroke
    width near MNIST's; None if nothing is drawn. ImageError if the array is of another kind.
    """
    ink = find_ink(as_rgba(pixels))
    return None if ink is None else normalise_ink(ink)


def as_rgba(pixels: np.ndarray) -> np.ndarray:
    """pixels: as prepare_drawing takes them. Returns uint8 [H, W, 4]; ImageError if the array is of another kind."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise ImageError("A picture is an array of 8-bit values (uint8). Convert it first.")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_GRAY2RGBA) if pixels.size else pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or 0 in pixels.shape:
        raise ImageError(f"A picture has the shape [height, width] or [height, width, 3 or 4], not {pixels.shape}.")
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2RGBA)
    return pixels


def normalise_ink(ink: np.ndarray) -> np.ndarray:
    """ink: float32 [h, w], 0 = paper to 1 = ink, cropped to the ink. Returns uint8 [28, 28, 1]."""
    distance = _outline_distance(ink)
    stroke = min(_stroke_width(distance), WORK / 2)  # a blot that is all stroke leaves nothing to scale by
    width = stroke * BOX / WORK
    target = max(float(np.clip(width, *STROKE)), width - MOST_THINNED)
    scale = (BOX - target) / (WORK - stroke)  # px of the result per px here; strokes as wide as lines span the rest
    distance -= (target / scale - stroke) / 2  # move the outline out for a thin pen, in for a thick one
    return _render(distance, scale)


def _decode_png(data: bytes) -> np.ndarray | None:
    """A PNG of 8 bits that holds nothing but pixels, as a pad sends it, in a fifth of the time that Pillow takes.
    Returns uint8 [H, W, C]; None for Pillow to read it, or to say what is wrong with it."""
    if not data.startswith(PNG) or len(data) < 33 or not PIXELS_ONLY.issuperset(_chunks(data)):
        return None
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    if width * height > MAX_PIXELS or (bits, colours) not in PNG_KINDS:
        return None
    try:
        return decode_image_png_u8(data, (height, width), PNG_KINDS[bits, colours])
    except Exception:  # what it raises has no narrower type
        return None


def _chunks(data: bytes) -> Iterator[bytes]:
    """The kinds of a PNG's chunks, in order."""
    place = len(PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind
        place += length + 12


def _outline_distance(ink: np.ndarray) -> np.ndarray:
    """Returns float32 [h, w] at WORK scale with a margin: px to the outline, negative inside the ink."""
    scale = WORK / max(ink.shape)
    size = [max(1, round(side * scale)) for side in ink.shape[::-1]]
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    margin = WORK // 5  # room for a thin pen's outline to move out
    solid = (ink >= min(1, ink.max()) / 2).view(np.uint8)  # a hairline is faint by now
    solid = cv2.copyMakeBorder(solid, *[margin] * 4, cv2.BORDER_CONSTANT, value=0)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    return cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5) - inside


def _stroke_width(distance: np.ndarray) -> float:
    """The median stroke width in px, read off the ridge of the distance inside the ink."""
    depth = np.maximum(-distance, 0)
    ridge = (depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))
    return 2 * median(depth[ridge]) - 1


def _render(distance: np.ndarray, scale: float) -> np.ndarray:
    """distance: float32 [h, w], px to the outline. Returns uint8 [28, 28, 1], scaled and centred, four by four
    samples a pixel."""
    moments = cv2.moments(np.clip(0.5 - distance, 0, 1))
    centre_x, centre_y = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    zoom, middle = 4 * scale, 4 * SIDE / 2 + 1.5  # MNIST's centre is the middle of pixel 14
    place = np.array([[zoom, 0, middle - zoom * centre_x], [0, zoom, middle - zoom * centre_y]])
    fine = cv2.warpAffine(distance, place, (4 * SIDE, 4 * SIDE), borderMode=cv2.BORDER_CONSTANT, borderValue=99)
    fine = np.clip(0.5 - fine * zoom, 0, 1)
    return (cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA) * 255).round().astype(np.uint8)[..., None]
