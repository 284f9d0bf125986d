"""Decode encoded pictures within limits."""

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
SCAN = b"\xff\xda"  # start of a scan; no such bytes occur within its data
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PNG = b"\x89PNG\r\n\x1a\n"  # signature
PIXELS_ONLY = {b"IHDR", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"IDAT", b"IEND"}  # chunks of a PNG
PNG_KINDS = {(8, 0): "mono", (8, 2): "rgb", (8, 6): "rgba"}  # by bit depth and colour type


class ImageError(ValueError):
    """A picture can't be used: `message` tells its sender why and `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.message, self.hint = message, hint


class TooLargeError(ImageError):
    """The picture has more than MAX_PIXELS."""

    def __init__(self) -> None:
        super().__init__(f"The picture has more than {MAX_PIXELS:,} pixels.", "Send a smaller one.")


def decode_image(data: bytes) -> np.ndarray:
    """Decode the first frame of a picture, upright: RGBA uint8 [H, W, 4]. Raises ImageError."""
    if (pixels := _decode_png(data)) is not None:
        return as_rgba(pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise TooLargeError
                if image.format == "JPEG" and data.count(SCAN) > MAX_SCANS:
                    raise ImageError(f"The JPEG has more than {MAX_SCANS} scans.", "Save it again as a baseline JPEG.")
                image.draft("RGB", (1024, 1024))  # decodes a JPEG at a fraction of its size, many times faster
                ImageOps.exif_transpose(image, in_place=True)
                if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip rather than scale
                    return np.asarray(Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGBA"))
                return np.asarray(image if image.mode == "RGBA" else image.convert("RGBA"))  # convert copies
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooLargeError from None
    except UnidentifiedImageError:
        message = f"This is not a picture in a supported format ({', '.join(FORMATS)})."
        raise ImageError(message, "Save it as a PNG and resend it.") from None
    except Exception as error:  # Pillow's plug-ins raise almost anything on broken files
        raise ImageError(f"The picture is damaged or incomplete ({error}).", "Save it again and resend it.") from None


def as_rgba(pixels: np.ndarray) -> np.ndarray:
    """Convert uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] to [H, W, 4]. Raises ImageError for any other array."""
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
    """Decode an 8-bit PNG of pixels alone, as a pad sends it, in a fifth of Pillow's time: uint8 [H, W, C].

    None leaves any other picture, and the report of what is wrong with it, to Pillow.
    """
    if not data.startswith(PNG) or len(data) < 33 or not PIXELS_ONLY.issuperset(_chunks(data)):
        return None
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    if width * height > MAX_PIXELS or (bits, colours) not in PNG_KINDS:
        return None
    try:
        pixels: np.ndarray = decode_image_png_u8(data, (height, width), PNG_KINDS[bits, colours])
    except Exception:  # what it raises has no narrower type
        return None
    return pixels


def _chunks(data: bytes) -> Iterator[bytes]:
    """The types of a PNG's chunks, in order."""
    position = len(PNG)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind
        position += length + 12
