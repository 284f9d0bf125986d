"""What is written on a picture, mark by mark, and the image of any pieces of it."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from experiments.preprocessing.decoding import as_rgba
from experiments.preprocessing.drawings import normalise_ink
from experiments.preprocessing.ink import LEAST, Sheet, find_writing, ink_of
from experiments.preprocessing.marks import FAINT, Marks, marks_of
from experiments.preprocessing.scaling import Box, place


@dataclass(frozen=True, eq=False)
class MarkedSheet:
    """What is written on a picture, and its marks. size: px, width and height of the picture as sent; shrunk: how many
    px of it one is that was decoded, in width and height; images: what was made of pieces, by their box and mask."""

    sheet: Sheet
    marks: Marks
    size: tuple[int, int]
    shrunk: tuple[float, float]
    images: dict[tuple[Box, bytes], np.ndarray | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Piece:
    """A mark or a part of one, and its box on the sheet."""

    mark: int
    box: Box
    mask: np.ndarray  # uint8, of its box


def find_marks(pixels: np.ndarray, size: tuple[int, int] | None = None) -> MarkedSheet | None:
    """Find what is written on a picture uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4]; None if nothing is. size: px,
    of the picture as sent where it was decoded smaller. Raises ImageError."""
    pixels = as_rgba(pixels)
    sheet = find_writing(pixels, rows=True)
    if sheet is None or sheet.least < LEAST:
        return None
    height, width = pixels.shape[:2]
    size = size or (width, height)
    marks = marks_of((sheet.contrast > _least(sheet)).view(np.uint8))
    return MarkedSheet(sheet, marks, size, (size[0] / width, size[1] / height)) if len(marks.area) > 1 else None


def _least(sheet: Sheet) -> float:
    """The contrast above which a mark is writing: what is much fainter is left of a ruling, or a stain."""
    inked = sheet.contrast[sheet.contrast > sheet.least]
    return max(sheet.least, FAINT * float(np.percentile(inked, 95))) if inked.size else sheet.least


def image_of(marked: MarkedSheet, pieces: list[Piece], box: Box) -> np.ndarray | None:
    """The image of some pieces, uint8 [28, 28, 1], as if they were alone on the sheet; None if it shows nothing."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top + 2, right - left + 2), np.uint8)
    for piece in pieces:
        x, y = piece.box[0] - left + 1, piece.box[1] - top + 1
        mask[y : y + piece.mask.shape[0], x : x + piece.mask.shape[1]] |= piece.mask
    key = box, mask.tobytes()
    if key not in marked.images:
        soft = cv2.dilate(mask, np.ones((3, 3), np.uint8))[1:-1, 1:-1]  # keeps the soft edges
        found = ink_of(marked.sheet.contrast[top:bottom, left:right] * soft, marked.sheet.least)
        marked.images[key] = None if found is None else normalise_ink(found[0])
    return marked.images[key]


def on_picture(marked: MarkedSheet, box: Box) -> Box:
    """A box in px of the picture as it was sent, within it and at least one px wide and high."""
    sheet, (wider, higher) = marked.sheet, marked.shrunk
    corner, scale = (wider * sheet.left, higher * sheet.top), (wider * sheet.scale, higher * sheet.scale)
    return place(box, corner, scale, marked.size)
