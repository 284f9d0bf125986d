"""Pictures sent as numbers: rows of grey levels or colours, in the layouts that programs use."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from serving.core.errors import Refused
from serving.core.images import encode_png

MAX_NUMBERS = 350_000  # with their brackets: 400×400 grey levels, or 280×280 colours
LARGEST = 2**32
SMALLEST = 8  # px, the shorter side
FULL_SCALES = (1, 16, 255)  # of floats, of scikit-learn's digits, of bytes
HINT = "Send rows of grey levels, 28 of 28 each, from 0 to 255 or from 0 to 1; other sizes and RGB are read too."


@dataclass(frozen=True)
class Tensor:
    """Numbers in nested lists, and their shape where it is told apart."""

    values: list[Any]
    shape: list[Any] | None = None


def count_numbers(values: Any) -> int:
    """Return how many numbers nested lists of equal lengths hold."""
    count = 1
    while isinstance(values, list):
        count *= len(values)
        values = values[0] if values else None
    return count


def encode_numbers(tensor: Tensor) -> bytes:
    """Encode numbers as PNG. Raises Refused for what is no picture."""
    picture = _as_picture(_shaped(_as_array(tensor.values), tensor.shape))
    return encode_png(Image.fromarray(_as_bytes(picture)))


def _as_array(values: list[Any]) -> np.ndarray:
    try:
        array = np.array(values)
    except ValueError:
        raise _refused("The rows of numbers have different lengths.") from None
    if array.dtype.kind not in "biuf":
        raise _refused("Among the numbers is something else.")
    if array.size and np.abs(array.astype(np.float64)).max() > LARGEST:
        raise _refused("Among the numbers is one that is too large.")
    return array


def _shaped(array: np.ndarray, shape: list[Any] | None) -> np.ndarray:
    if shape and all(isinstance(side, int) and side > 0 for side in shape) and math.prod(shape) == array.size:
        return array.reshape(shape)
    return array


def _as_picture(array: np.ndarray) -> np.ndarray:
    """Any layout of one picture as [H, W], [H, W, 3] or [H, W, 4]."""
    shape = tuple(side for side in array.shape if side != 1)  # batches and channels of one
    array = array.reshape(shape)
    if len(shape) == 1:
        array = _unrolled(array)
    elif len(shape) == 3 and shape[0] in (3, 4) and shape[1:] != (28, 28):  # these are several of MNIST's
        array = array.transpose(1, 2, 0)
    if array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)):
        if min(array.shape[:2]) >= SMALLEST:
            return array
    elif array.ndim > 2:
        hint = "Send one at a time, or many as files to /api/predict/batch."
        raise Refused(422, "wrong_shape", f"{_words(shape)} numbers are more than one picture.", hint)
    raise _refused(f"{_words(shape)} numbers make no picture.")


def _unrolled(array: np.ndarray) -> np.ndarray:
    """A row of 28·28 numbers, or of 3·32·32 as in CIFAR-10's files, as a picture."""
    for channels in (1, 3):
        side = math.isqrt(array.size // channels)
        if side and channels * side * side == array.size:
            return array.reshape(side, side) if channels == 1 else array.reshape(3, side, side).transpose(1, 2, 0)
    return array


def _as_bytes(values: np.ndarray) -> np.ndarray:
    """Scale numbers to uint8, by the values present if they are on none of the usual scales."""
    low, high = float(values.min()), float(values.max())
    full = float(next((scale for scale in FULL_SCALES if low >= 0 and high <= scale), 0))
    if not full:
        values, full = values.astype(np.float64) - low, high - low or 1
    scaled: np.ndarray = np.round(values * (255 / full)).astype(np.uint8)
    return scaled


def _words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"


def _refused(message: str) -> Refused:
    return Refused(422, "wrong_shape", message, HINT)
