"""Split what is on a sheet into rows, pieces, and candidates for a digit: marks, neighbours together, and cut marks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from experiments.numbers.cuts import cut
from experiments.numbers.marked import MarkedSheet, Piece, image_of, on_picture
from experiments.preprocessing.drawings import SIDE
from experiments.preprocessing.marks import Marks
from experiments.preprocessing.scaling import Box

DIRT = 0.12  # area of a mark as a share of the pen's squared width, below which it is dirt; a dot's is 0.8
OVER = 0.2  # share of its width by which a small part of a digit lies over or under the rest, at least
SMALL = 0.45  # height as a share of the digits', below which a mark alone is no digit
USUAL = 0.66  # the same of a digit, at least, unless it is written low
WIDE = 0.85  # width as a share of the digits' height from which a mark is cut at once
NARROW = 0.4  # the same where every mark is cut that can hold two
WIDEST = 1.5  # width of a digit, likewise, at most
APART = 0.3  # gap between parts of one digit, likewise, at most
PARTS = 7  # of one digit, at most
MOST = 1_200  # marks, and candidates
MOST_LARGE = 500  # marks that are no dirt: twice as many as 200 digits have that all are broken

Cuts = Literal["none", "wide", "every"]
"""Which marks are cut where digits may touch: none, each being a digit, or wide ones, or all that can hold two."""


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

    @property
    def is_one_mark(self) -> bool:
        """Whether all of it is one mark, cut or not."""
        return all((each.first, each.last) == (0, self.pieces - 1) for each in self.candidates if each.whole)

    @property
    def width(self) -> float:
        """Its width as a share of the digits' height."""
        boxes = [each.box for each in self.candidates]
        return (max(right for _, _, right, _ in boxes) - min(left for left, *_ in boxes)) / self.height

    @property
    def height(self) -> float:
        """The digits' height in px of the picture as sent."""
        highest = max(self.candidates, key=lambda each: each.height)
        return (highest.box[3] - highest.box[1]) / highest.height


def split(marked: MarkedSheet | None, cuts: Cuts) -> list[Row] | None:
    """Split what is written into rows, from above: no row if nothing is, or if without cuts a mark is too low or too
    wide for a digit; None if it is more than numbers."""
    if marked is None:
        return []
    found = marked.marks
    if len(found.area) > MOST:
        return None
    height = _digit_height(found)
    rows = _rows(found, height)
    if sum(map(len, rows)) > MOST_LARGE:
        return None
    if cuts == "none" and not all(_is_usual(found, mark, height) for row in rows for mark in row):
        return []
    pieces, spans, count = list[list[Piece]](), list[list[tuple[int, int]]](), 0
    for marks in rows:
        pieces.append(_pieces_of(found, marks, height, cuts))
        single = [(at, at) for at in range(len(pieces[-1]))]
        spans.append(single if cuts == "none" else list(_spans(pieces[-1], height)))
        count += len(spans[-1])
        if count > MOST:  # before their images are made, which takes longest
            return None
    made = [Row(len(row), list(_candidates(marked, row, own, height))) for row, own in zip(pieces, spans, strict=True)]
    return [row for row in made if row.candidates]


def _is_usual(found: Marks, mark: int, height: float) -> bool:
    """Whether a mark is as high and as narrow as a digit, so that it is rather one than a part of one, or several."""
    wide, high = found.right[mark] - found.left[mark], found.bottom[mark] - found.top[mark]
    return bool(high >= USUAL * height and wide < WIDE * height)


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


def _pieces_of(found: Marks, marks: list[int], height: float, cuts: Cuts) -> list[Piece]:
    """The pieces of a row from left to right."""
    pieces = [piece for mark in marks for piece in _pieces(found, mark, height, cuts == "every")]
    return sorted(pieces, key=lambda piece: piece.box[0] + piece.box[2])


def _pieces(found: Marks, mark: int, height: float, every: bool) -> Iterator[Piece]:
    """One mark cut into pieces, or whole."""
    left, top, right, bottom = (int(side[mark]) for side in (found.left, found.top, found.right, found.bottom))
    mask = (found.labels[top:bottom, left:right] == mark).view(np.uint8)
    width = (right - left) / height
    if width < (NARROW if every else WIDE) or bottom - top < SMALL * height:
        yield Piece(mark, (left, top, right, bottom), mask)
        return
    numbers = cut(mask, height, most=1 + round((3 if every else 2.5) * width))
    for number in range(numbers.max() + 1):
        part = (mask & (numbers == number)).astype(np.uint8)
        x, y, wide, high = cv2.boundingRect(part)
        if wide:
            box = (left + x, top + y, left + x + wide, top + y + high)
            yield Piece(mark, box, part[y : y + high, x : x + wide])


def _spans(pieces: list[Piece], height: float) -> Iterator[tuple[int, int]]:
    """The first and the last of neighbouring pieces that may be one digit."""
    of_mark = Counter(piece.mark for piece in pieces)
    for first in range(len(pieces)):
        right = pieces[first].box[2]
        for last in range(first, min(first + PARTS, len(pieces))):
            if pieces[last].box[0] - right > APART * height:
                break
            right = max(right, pieces[last].box[2])
            together = pieces[first : last + 1]
            left, _, end, _ = _around(together)
            if end - left > WIDEST * height and last > first:
                break
            marks = {piece.mark for piece in together}  # a part of one makes no digit with another
            if len(marks) > 1 and not _is_whole(together, of_mark):
                continue
            if len(marks) > 1 and any(_is_aside(piece, together, height) for piece in together):
                continue
            yield first, last


def _candidates(
    marked: MarkedSheet, pieces: list[Piece], spans: list[tuple[int, int]], height: float
) -> Iterator[Candidate]:
    of_mark = Counter(piece.mark for piece in pieces)
    for first, last in spans:
        together = pieces[first : last + 1]
        box = _around(together)
        image = image_of(marked, together, box)
        if image is None and last == first:
            image = np.zeros((SIDE, SIDE, 1), np.uint8)  # or no path would lead through the row
        if image is not None:
            whole = _is_whole(together, of_mark)
            yield Candidate(first, last, on_picture(marked, box), image, whole, (box[3] - box[1]) / height)


def _is_whole(together: list[Piece], of_mark: Counter[int]) -> bool:
    """Whether pieces are all of their marks'. of_mark: how many each mark has."""
    return all(count == of_mark[mark] for mark, count in Counter(piece.mark for piece in together).items())


def _is_aside(piece: Piece, together: list[Piece], height: float) -> bool:
    """Whether a piece is small and lies beside the other marks, as a point, a comma or a minus does."""
    others = [other for other in together if other.mark != piece.mark]
    left, top, right, bottom = piece.box
    if bottom - top > SMALL * height:
        return False
    over = max(min(right, other.box[2]) - max(left, other.box[0]) for other in others)
    return over < OVER * (right - left)


def _around(pieces: list[Piece]) -> Box:
    left, top, right, bottom = zip(*(piece.box for piece in pieces), strict=True)
    return min(left), min(top), max(right), max(bottom)
