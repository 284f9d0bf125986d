"""Decode encoded pictures within limits."""

import functools
import io
import struct
import warnings
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from kornia_rs.io import decode_image_png_u8
from PIL import AvifImagePlugin, Image, ImageChops, ImageOps, Jpeg2KImagePlugin

from experiments.preprocessing.formats import NAMES, Format, format_of, name_of
from experiments.preprocessing.headers import SCAN, picture_size

MAX_PIXELS = 50_000_000
MAX_SCANS = 50  # of a progressive JPEG, each a pass over all its pixels; usual encoders write ten
MAX_SCANNED = 1_000_000_000  # pixels in all passes together
LARGE_JPEG_2000 = 16_000_000  # pixels
PART = 1_000_000  # pixels copied at a time
PIXELS_ONLY = {b"IHDR", b"sRGB", b"gAMA", b"cHRM", b"pHYs", b"IDAT", b"IEND"}  # chunks of a PNG
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KINDS = {(8, 0): "mono", (8, 2): "rgb", (8, 6): "rgba"}  # by bit depth and colour type
BITS_PER_SAMPLE = 258  # tag of a TIFF
ORIENTATION = 274  # tag of EXIF


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
    """Decode the first frame of a picture in any of FORMATS, upright: RGBA uint8 [H, W, 4]. Raises ImageError."""
    if (pixels := _decode_png(data)) is not None:
        return as_rgba(pixels)
    known = format_of(data)
    if known is None:
        raise _not_a_picture(data)
    try:
        return _as_array(_decode_upright(data, known))
    except (ImageError, MemoryError, cv2.error):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooLargeError from None
    except Exception as error:  # Pillow's plug-ins raise almost anything on broken files
        raise ImageError(f"The picture is damaged or incomplete ({error}).", "Save it again and resend it.") from None


def pixel_count(data: bytes) -> int:
    """How many pixels a picture's header tells of: 0 for what no decoder takes, MAX_PIXELS where it can't be told."""
    if format_of(data) is None:
        return 0
    size = picture_size(data)
    return MAX_PIXELS if size is None else size[0] * size[1]


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


def _not_a_picture(data: bytes) -> ImageError:
    if not data:
        return ImageError("The picture is empty.", "Send the file's content.")
    what = name_of(data)
    message = f"This is {what}, not a picture" if what else "This is not a picture"
    return ImageError(f"{message} in a supported format: {NAMES}.", "Save it as a PNG and resend it.")


def _decode_upright(data: bytes, known: Format) -> Image.Image:
    """Decode by Pillow, as RGBA. The decoder, with all that it holds, is gone on return."""
    _prepare_plugins(known.plugin)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(data), formats=(known.plugin,)) as image:
            _check_size(data, known, image.width * image.height)
            _check_scans(data, known, image.width * image.height)
            if _has_deep_colours(data, image):
                return _turned(Image.fromarray(_deep_colours(data)), image)
            image.draft("RGB", (1024, 1024))  # decodes a JPEG at a fraction of its size, many times faster
            if isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile) and image.width * image.height > LARGE_JPEG_2000:
                image.reduce = 2  # at a quarter of its size: whole, it takes a gigabyte
            ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith(("I", "F")):  # deeper than 8 bits, which Pillow would clip rather than scale
                return Image.fromarray(_scaled_grey(image)).convert("RGBA")
            if image.mode == "CMYK" and known.name == "JPEG" and "adobe" not in image.info:
                return ImageChops.invert(image).convert("RGBA")  # Pillow takes all for Adobe's, which are inverted
            return image.convert("RGBA")


@functools.cache
def _prepare_plugins(plugin: str) -> None:
    """Have the decoder of a format there: in one thread, since workers share the cores and threads take memory."""
    if plugin == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # metadata is no matter for the terminal


def _has_deep_colours(data: bytes, image: Image.Image) -> bool:
    """Whether it has colours or alpha in more than 8 bits, which Pillow would shift rather than scale."""
    if image.format == "PNG":
        return data[24] == 16 and data[25] != 0
    tags = getattr(image, "tag_v2", {})
    return image.mode in ("RGB", "RGBA", "RGBX") and max(tags.get(BITS_PER_SAMPLE, (8,))) > 8


def _deep_colours(data: bytes) -> np.ndarray:
    """Decode a PNG or TIFF of more than 8 bits, not turned, and scale its colours: uint8 [H, W, 4]."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise ValueError("its pixels can't be decoded")
    height, width, channels = pixels.shape
    rgba = np.full((height, width, 4), 255, np.uint8)
    scale = _scale_of(part[..., :3] for part in _parts(pixels))
    for part, out in zip(_parts(pixels), _parts(rgba), strict=True):
        out[..., :3] = scale(part[..., 2::-1])
        if channels == 4:
            out[..., 3] = part[..., 3] >> 8
    return rgba


def _scaled_grey(image: Image.Image) -> np.ndarray:
    """Scale a grey image of whole numbers or floats by the values present: uint8 [H, W]."""
    grey = np.empty((image.height, image.width), np.uint8)
    scale = _scale_of(_strips(image))
    for strip, out in zip(_strips(image), _parts(grey), strict=True):
        out[:] = scale(strip)
    return grey


def _scale_of(parts: Iterator[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A function from such values to uint8, the lowest of them to 0 and the highest to 255; if all are equal, black for
    0 and white for others. What is no number counts as the lowest."""
    bounds = [(float(part.min()), float(part.max())) for part in map(_finite, parts)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)

    def scale(values: np.ndarray) -> np.ndarray:
        if low >= high:
            return np.full(values.shape, 255 if low else 0, np.uint8)
        bounded = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
        return ((bounded - low) * (255 / (high - low))).round().astype(np.uint8)

    return scale


def _finite(values: np.ndarray) -> np.ndarray:
    numbers = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return numbers if numbers.size else np.zeros(1)


def _turned(pixels: Image.Image, source: Image.Image) -> Image.Image:
    """Turn pixels as the EXIF of the picture that they are from says."""
    pixels.getexif()[ORIENTATION] = source.getexif().get(ORIENTATION, 1)
    ImageOps.exif_transpose(pixels, in_place=True)
    return pixels


def _as_array(image: Image.Image) -> np.ndarray:
    """Copy an image's pixels, uint8 [H, W, 4], a part at a time: NumPy's own way needs twice their memory."""
    pixels = np.empty((image.height, image.width, 4), np.uint8)
    for strip, out in zip(_strips(image), _parts(pixels), strict=True):
        out[:] = strip
    return pixels


def _strips(image: Image.Image) -> Iterator[np.ndarray]:
    """The pixels of an image, some rows at a time."""
    rows = max(1, PART // image.width)
    for top in range(0, image.height, rows):
        yield np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))


def _parts(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Views of as many rows at a time."""
    rows = max(1, PART // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        yield pixels[top : top + rows]


def _check_size(data: bytes, known: Format, pixels: int) -> None:
    """Raise ImageError for too many pixels, or more than the header says, by which a picture was given its turn."""
    told = picture_size(data)
    if pixels > MAX_PIXELS:
        raise TooLargeError
    if told is None and known.name != "JPEG":  # of which the frame may be far behind
        raise ImageError("The picture's header is damaged.", "Save it again and resend it.")
    if told is not None and pixels > told[0] * told[1]:
        raise ImageError("The picture has two headers, of different sizes.", "Save it again and resend it.")


def _check_scans(data: bytes, known: Format, pixels: int) -> None:
    most = min(MAX_SCANS, MAX_SCANNED // max(pixels, 1))
    if known.name == "JPEG" and data.count(SCAN) > most:
        raise ImageError(f"The JPEG has more than {most} scans.", "Save it again as a baseline JPEG.")


def _decode_png(data: bytes) -> np.ndarray | None:
    """Decode an 8-bit PNG of pixels alone, as a pad sends it, in a fifth of Pillow's time: uint8 [H, W, C].

    None leaves any other picture, and the report of what is wrong with it, to Pillow.
    """
    if not data.startswith(PNG_SIGNATURE) or len(data) < 33 or not PIXELS_ONLY.issuperset(_chunks(data)):
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
    position = len(PNG_SIGNATURE)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        yield kind
        position += length + 12
