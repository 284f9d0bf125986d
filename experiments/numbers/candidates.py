"""Split what is on a sheet into rows, pieces, and candidates for a digit: marks, neighbours together, and cut marks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np

from experiments.inference.predictions import Box
from experiments.numbers.cuts import cut
from experiments.preprocessing.decoding import as_rgba
from experiments.preprocessing.drawings import SIDE, normalise_ink
from experiments.preprocessing.ink import LEAST, Sheet, find_writing, ink_of
from experiments.preprocessing.marks import Marks, marks_of

DIRT = 0.12  # area of a mark as a share of the pen's squared width, below which it is dirt; a dot's is 0.8
OVER = 0.2  # share of its width by which a small part of a digit lies over or under the rest, at least
SMALL = 0.45  # height as a share of the digits', below which a mark alone is no digit
WIDE = 0.85  # width as a share of the digits' height from which a mark is cut at once
NARROW = 0.4  # the same where every mark is cut that can hold two
WIDEST = 1.5  # width of a digit, likewise, at most
APART = 0.3  # gap between parts of one digit, likewise, at most
PARTS = 7  # of one digit, at most
TOO_MANY = 1_200  # marks, and candidates

Cuts = Literal["wide", "every"]
"""Which marks are cut where digits may touch: wide ones, or all that can hold two."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may be a digit: pieces first to last of a row, its box on the picture as sent, and its image uint8 [28, 28,
    1]; whole: it has all ink of its marks; height: as a share of the digits'."""

    first: int
    last: int
    box: Box
    image: np.ndarray
    whole: bool
    height: float

    @property
    def width(self) -> float:
        """Its width, likewise."""
        left, top, right, bottom = self.box
        return self.height * (right - left) / max(bottom - top, 1)


@dataclass(frozen=True, eq=False)
class Row:
    """The pieces of a row from left to right and the candidates made of them."""

    pieces: int
    candidates: list[Candidate]


class TooMuchError(ValueError):
    """There is more on a sheet than numbers."""


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
class _Piece:
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
    marks = marks_of((sheet.contrast > sheet.least).view(np.uint8))
    return MarkedSheet(sheet, marks, size, (size[0] / width, size[1] / height)) if len(marks.area) > 1 else None


def split(marked: MarkedSheet | None, cuts: Cuts) -> list[Row]:
    """Split what is written into rows, from above; none if nothing is. Raises TooMuchError."""
    if marked is None:
        return []
    found = marked.marks
    if len(found.area) > TOO_MANY:
        raise TooMuchError
    height = _digit_height(found)
    rows, count = [], 0
    for marks in _rows(found, height):
        pieces = [piece for mark in marks for piece in _pieces(found, mark, height, cuts == "every")]
        pieces.sort(key=lambda piece: piece.box[0] + piece.box[2])
        row = Row(len(pieces), list(_candidates(marked, pieces, height)))
        count += len(row.candidates)
        if count > TOO_MANY:
            raise TooMuchError
        if row.candidates:
            rows.append(row)
    return rows


def _digit_height(found: Marks) -> float:
    """The height of most of what is written, small marks counting little."""
    heights = (found.bottom - found.top)[1:].astype(float)
    order = np.argsort(heights)
    weight = np.cumsum(heights[order] ** 2)
    return float(heights[order][np.searchsorted(weight, weight[-1] / 2)])


def _rows(found: Marks, height: float) -> list[list[int]]:
    """The marks of each row, from above."""
    dirt = DIRT * _pen(found) ** 2
    marks = [mark for mark in range(1, len(found.area)) if found.area[mark] > dirt]
    large = [mark for mark in marks if found.bottom[mark] - found.top[mark] > SMALL * height]
    rows: list[list[int]] = []
    for mark in sorted(large, key=lambda mark: found.left[mark]):
        near = [row for row in rows if _beside(found, row[-1], mark)]
        if near:
            max(near, key=lambda row: _beside(found, row[-1], mark)).append(mark)
        else:
            rows.append([mark])
    for mark in set(marks) - set(large):
        if rows:
            min(rows, key=lambda row: min(_distance(found, mark, other) for other in row)).append(mark)
    return sorted(rows, key=lambda row: float(np.mean([found.top[mark] + found.bottom[mark] for mark in row])))


def _pen(found: Marks) -> float:
    """The width of the pen: the mean distance of ink to its outline is a quarter of it."""
    mask = np.pad(found.labels > 0, 1).view(np.uint8)
    return 4 * float(cv2.distanceTransform(mask, cv2.DIST_L2, 3)[mask > 0].mean())


def _beside(found: Marks, left: int, right: int) -> float:
    """How much of the lower of two marks' height they share; 0 if too little."""
    shared = min(found.bottom[left], found.bottom[right]) - max(found.top[left], found.top[right])
    lower = min(found.bottom[left] - found.top[left], found.bottom[right] - found.top[right])
    share = float(shared / lower)
    return share if share > 0.4 else 0.0


def _distance(found: Marks, one: int, other: int) -> float:
    gap_x = max(found.left[one] - found.right[other], found.left[other] - found.right[one], 0)
    gap_y = max(found.top[one] - found.bottom[other], found.top[other] - found.bottom[one], 0)
    return float(np.hypot(gap_x, gap_y))


def _pieces(found: Marks, mark: int, height: float, every: bool) -> Iterator[_Piece]:
    """One mark cut into pieces, or whole."""
    left, top, right, bottom = (int(side[mark]) for side in (found.left, found.top, found.right, found.bottom))
    mask = (found.labels[top:bottom, left:right] == mark).view(np.uint8)
    width = (right - left) / height
    if width < (NARROW if every else WIDE) or bottom - top < SMALL * height:
        yield _Piece(mark, (left, top, right, bottom), mask)
        return
    numbers = cut(mask, height, most=1 + round((3 if every else 2.5) * width))
    for number in range(numbers.max() + 1):
        part = (mask & (numbers == number)).astype(np.uint8)
        x, y, wide, high = cv2.boundingRect(part)
        if wide:
            box = (left + x, top + y, left + x + wide, top + y + high)
            yield _Piece(mark, box, part[y : y + high, x : x + wide])


def _candidates(marked: MarkedSheet, pieces: list[_Piece], height: float) -> Iterator[Candidate]:
    of_mark = {piece.mark: sum(other.mark == piece.mark for other in pieces) for piece in pieces}
    for first in range(len(pieces)):
        right = pieces[first].box[2]
        for last in range(first, min(first + PARTS, len(pieces))):
            if pieces[last].box[0] - right > APART * height:
                break
            right = max(right, pieces[last].box[2])
            together = pieces[first : last + 1]
            box = _around(together)
            if box[2] - box[0] > WIDEST * height and last > first:
                break
            marks = [piece.mark for piece in together]
            whole = all(marks.count(mark) == of_mark[mark] for mark in marks)
            joined = len(set(marks)) > 1  # a part of one mark makes no digit with another
            if joined and (not whole or any(_is_aside(piece, together, height) for piece in together)):
                continue
            image = _image(marked, together, box)
            if image is None and last == first:
                image = np.zeros((SIDE, SIDE, 1), np.uint8)  # or no path would lead through the row
            if image is not None:
                yield Candidate(first, last, _on_picture(marked, box), image, whole, (box[3] - box[1]) / height)


def _is_aside(piece: _Piece, together: list[_Piece], height: float) -> bool:
    """Whether a piece is small and lies beside the other marks, as a point, a comma or a minus does."""
    others = [other for other in together if other.mark != piece.mark]
    left, top, right, bottom = piece.box
    if bottom - top > SMALL * height:
        return False
    over = max(min(right, other.box[2]) - max(left, other.box[0]) for other in others)
    return over < OVER * (right - left)


def _around(pieces: list[_Piece]) -> Box:
    left, top, right, bottom = zip(*(piece.box for piece in pieces), strict=True)
    return min(left), min(top), max(right), max(bottom)


def _image(marked: MarkedSheet, pieces: list[_Piece], box: Box) -> np.ndarray | None:
    """The image of some pieces, as if they were alone on the sheet."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top + 2, right - left + 2), np.uint8)
    for piece in pieces:
        x, y = piece.box[0] - left + 1, piece.box[1] - top + 1
        mask[y : y + piece.mask.shape[0], x : x + piece.mask.shape[1]] |= piece.mask
    key = box, mask.tobytes()
    if key not in marked.images:
        soft = cv2.dilate(mask, np.ones((3, 3), np.uint8))[1:-1, 1:-1]  # keeps the soft edges
        ink = ink_of(marked.sheet.contrast[top:bottom, left:right] * soft, marked.sheet.least)
        marked.images[key] = None if ink is None else normalise_ink(ink)
    return marked.images[key]


def _on_picture(marked: MarkedSheet, box: Box) -> Box:
    """A box in px of the picture as it was sent, within it and at least one px wide and high."""
    sheet, (width, height), (wider, higher) = marked.sheet, marked.size, marked.shrunk
    left, right = (round(wider * (sheet.left + side * sheet.scale)) for side in box[::2])
    top, bottom = (round(higher * (sheet.top + side * sheet.scale)) for side in box[1::2])
    left, top = min(left, width - 1), min(top, height - 1)
    return left, top, max(min(right, width), left + 1), max(min(bottom, height), top + 1)
