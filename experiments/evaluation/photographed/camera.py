"""What a camera, scanner or program makes of a sheet: light, and the encoded file."""

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

Light = Callable[[tuple[int, int], np.ndarray, np.random.Generator], np.ndarray]
"""Returns the light float32 [h, w] on a picture of that height and width, before it is made 1 at the digit's centre."""
Encoder = Callable[[np.ndarray], bytes]
"""Encodes pixels uint8 [h, w, 3]."""


def even(shape: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    """The same light everywhere, as on a screen or in a scanner."""
    return np.ones(shape, np.float32)


def soft_shadow(shape: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    """Light that falls off to one side."""
    angle = rng.uniform(0, 2 * np.pi)
    return _smooth(shape, lambda x, y: 1 - rng.uniform(0.1, 0.35) * (x * np.cos(angle) + y * np.sin(angle)))


def lamp(shape: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG001
    """A desk lamp's cone, dark in the corners."""
    at = rng.uniform(-0.2, 0.2, 2)
    return _smooth(shape, lambda x, y: 1 / (1 + rng.uniform(1.5, 3) * ((x - at[0]) ** 2 + (y - at[1]) ** 2)))


def flash(shape: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A flash's reflection beside the digit, where the paper burns out."""
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.5)
    spot = centre / shape[::-1] - 0.5 + away * np.array([np.cos(angle), np.sin(angle)])
    return _smooth(shape, lambda x, y: 0.8 + 0.8 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 0.03))


def shadow_edge(shape: tuple[int, int], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The hard edge of a shadow across the digit's middle; its centre lies in the light."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    angle = rng.uniform(0, 2 * np.pi)
    beyond = (columns - centre[0]) * np.cos(angle) + (rows - centre[1]) * np.sin(angle) - 6
    share = np.clip(0.5 + beyond / rng.uniform(2, 10), 0, 1).astype(np.float32)
    light: np.ndarray = 1 - np.float32(rng.uniform(0.3, 0.5)) * share
    return light


def jpeg(pixels: np.ndarray, quality: int = 80) -> bytes:
    """A colour JPEG."""
    done = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return done.tobytes()


def jpeg_within(pixels: np.ndarray, size: int) -> bytes:
    """A JPEG of at most so many bytes, or of quality 10."""
    for quality in (60, 40, 25, 10):
        if len(done := jpeg(pixels, quality)) <= size:
            break
    return done


def png(pixels: np.ndarray) -> bytes:
    """A colour PNG."""
    return cv2.imencode(".png", pixels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def grey_png(pixels: np.ndarray) -> bytes:
    """A grey PNG."""
    return cv2.imencode(".png", _grey(pixels), [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def bilevel(pixels: np.ndarray, level: int = 170) -> bytes:
    """A PNG of one bit, white from this level up, as fax machines send it."""
    buffer = io.BytesIO()
    Image.fromarray(_grey(pixels) >= level).save(buffer, "PNG")
    return buffer.getvalue()


def enlarged(pixels: np.ndarray, times: int, smoothly: bool = False) -> bytes:
    """A grey PNG of a thumbnail, enlarged."""
    method = cv2.INTER_CUBIC if smoothly else cv2.INTER_NEAREST
    return grey_png(cv2.resize(pixels, None, fx=times, fy=times, interpolation=method))


def transparent(pixels: np.ndarray, colour: int = 0) -> bytes:
    """A PNG of ink in one grey on a transparent ground; dark pixels are ink."""
    ink = np.full_like(pixels[..., 0], colour)
    return cv2.imencode(".png", cv2.merge([ink, ink, ink, 255 - _grey(pixels)]))[1].tobytes()


def deep(pixels: np.ndarray, bits: int = 16) -> bytes:
    """A grey PNG of 16 bits, of which these lowest are used."""
    return cv2.imencode(".png", (_grey(pixels).astype(np.uint16) * 257) >> (16 - bits))[1].tobytes()


def _grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)


def _smooth(shape: tuple[int, int], light: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """A smooth function of x and y, each from -0.5 to 0.5 over the picture, as float32 [h, w]."""
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, 40), np.linspace(-0.5, 0.5, 40), indexing="ij")
    return cv2.resize(light(x, y).astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
