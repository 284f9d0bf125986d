"""Decode and preprocess an encoded picture, or refuse it: the same for page, batch and decoding workers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from experiments.data.specs import SPECS
from experiments.preprocessing.decoding import ImageError, TooLargeError, decode_image
from serving.core.errors import Refused

EMPTY = np.full((1, 1, 4), 255, np.uint8)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A decoded picture, and the image that a model takes."""

    pixels: np.ndarray  # uint8 [H, W, 4] RGBA, turned upright
    image: np.ndarray | None  # uint8 [h, w, C] as the data set has them; None for a blank


def prepare_picture(dataset: str, sheets: Sequence[bytes]) -> Prepared | Refused:
    """sheets: encoded pictures of one drawing or photo, the lowest first; an empty sequence is a blank. Refused is
    returned, not raised: batches and workers pass it on, and its traceback would keep the picture in memory."""
    try:
        pixels = flatten([decode_image(sheet) for sheet in sheets]) if sheets else EMPTY
        return Prepared(pixels, SPECS[dataset].prepare(pixels))
    except TooLargeError as error:
        return Refused(413, "too_large", error.message, error.hint)
    except ImageError as error:
        return Refused(400, "bad_image", error.message, error.hint)
    except MemoryError:
        return Refused(413, "too_large", "The picture takes too much memory.", "Send a smaller one.")


def flatten(sheets: Sequence[np.ndarray]) -> np.ndarray:
    """Composite RGBA sheets, uint8 [H, W, 4], the lowest first. Return uint8 [H, W, 4] of the size of the lowest."""
    if len(sheets) == 1:
        return sheets[0]
    lowest, *above = [Image.fromarray(sheet) for sheet in sheets]
    for sheet in above:
        lowest.alpha_composite(sheet)
    return np.asarray(lowest)
