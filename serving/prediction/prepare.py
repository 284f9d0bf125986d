"""Decode and preprocess a drawing or photo, or refuse it: the same for page and API."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

from experiments.data.specs import SPECS
from experiments.numbers.candidates import Cuts, Row, split
from experiments.numbers.marked import MarkedSheet, find_marks
from experiments.numbers.sheets import prepare_one, size_as_sent
from experiments.preprocessing.decoding import MAX_PIXELS, ImageError, TooLargeError, decode_image, pixel_count
from experiments.preprocessing.scaling import Box
from serving.core.errors import Refused
from serving.core.images import encode_png

MAX_SHEETS = 10  # of one drawing
EMPTY = np.full((1, 1, 4), 255, np.uint8)
Sheets = Sequence[bytes]
"""The encoded pictures of one drawing or photo, the lowest first; an empty sequence is a blank."""


@dataclass(frozen=True)
class Wanted:
    """What is made of a drawing or photo."""

    dataset: str  # whose image is prepared
    answered: bool = False  # it is the image that a model saw, shown on the page and sent back
    preview: int = 0  # px, the longest side of a small picture of it; 0: none
    split: Cuts | None = None  # instead of the image, the candidates for digits of a number


@dataclass(frozen=True, eq=False)
class Prepared:
    """The image that a model takes, and the small picture that was asked for."""

    image: np.ndarray | None  # uint8 [h, w, C] as the data set has them; None for a blank, and of what is split
    preview: bytes = b""  # PNG
    box: Box | None = None  # of what is drawn, in px of the picture as sent; of digits only
    size: tuple[int, int] = (0, 0)  # px, width and height of the picture as sent, upright; only beside a preview
    rows: Sequence[Row] | None = ()  # of what is split; None if it is more than numbers


Outcome = Prepared | Refused


def prepare_picture(wanted: Wanted, sheets: Sheets) -> Outcome:
    """Refused is returned, not raised: batches and workers pass it on, and its traceback would keep the picture in
    memory."""
    if refused := _refusal(sheets):
        return refused
    try:
        return _prepared(wanted, sheets)
    except Refused as error:
        return error.with_traceback(None)
    except TooLargeError as error:
        return Refused(413, "too_large", error.message, error.hint)
    except ImageError as error:
        return Refused(400, "bad_image", error.message, error.hint)
    except (MemoryError, cv2.error):  # the latter where OpenCV gets no memory
        return Refused(413, "too_large", "The picture takes too much memory.", "Send a smaller one.")


def flatten(sheets: Sheets) -> np.ndarray:
    """Lay sheets over one another: uint8 [H, W, 4] of the size of the lowest, blank if there is none. Raises
    ImageError."""
    if not sheets:
        return EMPTY
    if len(sheets) == 1:
        return decode_image(sheets[0])
    lowest = Image.fromarray(decode_image(sheets[0]))
    for sheet in sheets[1:]:
        lowest.alpha_composite(Image.fromarray(decode_image(sheet)))
    return np.asarray(lowest)


def too_many_sheets() -> Refused:
    """A drawing of more than MAX_SHEETS."""
    return Refused(413, "too_large", f"The drawing has more than {MAX_SHEETS} layers.", "Merge some of them.")


def _refusal(sheets: Sheets) -> Refused | None:
    """Why it is not decoded; None if it may be."""
    if len(sheets) > MAX_SHEETS:
        return too_many_sheets()
    if sum(map(pixel_count, sheets)) > MAX_PIXELS and len(sheets) > 1:  # of one alone the decoder tells
        message = f"The layers have more than {MAX_PIXELS:,} pixels together."
        return Refused(413, "too_large", message, "Send a smaller drawing.")
    return None


def _prepared(wanted: Wanted, sheets: Sheets) -> Prepared:
    if wanted.split:
        return Prepared(None, rows=split(_marked(tuple(sheets)), wanted.split))
    pixels, spec = flatten(sheets), SPECS[wanted.dataset]
    size = size_as_sent(sheets[0] if sheets else b"", pixels)
    image, box = (_as_answered(wanted, pixels), None) if wanted.answered else prepare_one(pixels, spec, size)
    return Prepared(image, _preview(pixels, wanted.preview), box, size) if wanted.preview else Prepared(image, box=box)


@lru_cache(maxsize=1)  # where a doubt is left, the same picture is split again at once
def _marked(sheets: tuple[bytes, ...]) -> MarkedSheet | None:
    """What is written on a picture, with its size as sent."""
    pixels = flatten(sheets)
    return find_marks(pixels, size_as_sent(sheets[0] if sheets else b"", pixels))


def _as_answered(wanted: Wanted, pixels: np.ndarray) -> np.ndarray:
    shape = SPECS[wanted.dataset].image_shape
    if pixels.shape[:2] != shape[:2]:
        raise Refused(422, "no_answer", "This is not the image of an answer.", "Submit something first.")
    return pixels[..., : shape[2]]


def _preview(pixels: np.ndarray, side: int) -> bytes:
    """A PNG on white, without metadata."""
    small = Image.fromarray(pixels)
    small.thumbnail((side, side))
    sheet = Image.new("RGBA", small.size, "white")
    sheet.alpha_composite(small)
    return encode_png(sheet.convert("RGB"))
