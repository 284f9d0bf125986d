"""Encoded pictures become pixels, within bounds."""

import io
import struct
import warnings
from collections.abc import Iterator

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u8
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 50_000_000
MAX_SCANS = 50  # of a progressive JPEG, each a pass over all its pixels; usual encoders write ten
SCAN = b"\xff\xda"  # how one begins; in a scan's own data no such bytes follow one another
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG = b"\x89PNG\r\n\x1a\n"  # how one begins
PIXELS_ONLY = {b"IHDR", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"IDAT", b"IEND"}  # chunks of a PNG
PNG_KINDS = {(8, 0): "mono", (8, 2): "rgb", (8, 6): "rgba"}  # bits of a value and colour type -> what it is decoded as


class ImageError(ValueError):
    """The picture can't be used: `message` says why and `hint` what to do, for whoever sent it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message, self.hint = message, hint


class TooLargeError(ImageError):
    """The picture has more than MAX_PIXELS."""

    def __init__(self) -> None:
        super().__init__(f"The picture has more than {MAX_PIXELS:,} pixels.", "Send a smaller one.")


def decode_image(data: bytes) -> np.ndarray:
    """An encoded picture (first frame, turned upright). Returns uint8 [H, W, 4] RGBA; ImageError if it can't be."""
    if (pixels := _decode_png(data)) is not None:
        return as_rgba(pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise TooLargeError
                if image.format == "JPEG" and data.count(SCAN) > MAX_SCANS:
                    raise ImageError(f"The JPEG has more than {MAX_SCANS} scans.", "Save it anew as an ordinary one.")
                image.draft("RGB", (1024, 1024))  # a JPEG decodes at a fraction of its size, many times faster
                ImageOps.exif_transpose(image, in_place=True)
                if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip rather than scale
                    return np.asarray(Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGBA"))
                return np.asarray(image if image.mode == "RGBA" else image.convert("RGBA"))  # convert would copy
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooLargeError from None
    except UnidentifiedImageError:
        message = f"This is no picture of a kind read here ({', '.join(FORMATS)})."
        raise ImageError(message, "Save it as a PNG and resend it.") from None
    except Exception as error:  # Pillow's plug-ins raise almost anything on broken files
        raise ImageError(f"The picture is damaged or incomplete ({error}).", "Save it again and resend it.") from None


def as_rgba(pixels: np.ndarray) -> np.ndarray:
    """pixels: as prepare_drawing takes them. Returns uint8 [H, W, 4]; ImageError if the array is of another kind."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise ImageError("A picture is an array of 8-bit values (uint8).", "Convert it first.")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_GRAY2RGBA) if pixels.size else pixels
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or 0 in pixels.shape:
        message = f"A picture has the shape [height, width] or [height, width, 3 or 4], not {pixels.shape}."
        raise ImageError(message, "Reshape it first.")
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2RGBA)
    return pixels


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
