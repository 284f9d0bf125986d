"""Tell writing from what lies around it: dirt, rulings, frames, circles, underlines, what is cut off by the border."""

from dataclasses import dataclass

import cv2
import numpy as np

from experiments.preprocessing.rulings import without_rulings

NEAR = 0.3  # of the writing's size: how far a small part of it may lie from the rest
LARGE = 0.6  # of the writing's size: what is as large belongs to it wherever it lies
GAP = 0.1  # of its size: how far a circle may be open
INNER = 0.35  # of the size of a circle or box: what is as large is what it is drawn around
SPECKLE = 0.02  # share of the main mark's area below which a mark is dirt, not a stroke
FAINT = 0.45  # share of the strongest contrast below which a mark is a stain, or shines through
MANY = 30  # of the strongest marks that are looked at
MANY_ROWS = 600  # the same of rows
PEN = 2.5  # times as thick as the main mark is another that the same pen drew, at most
SLIM = 0.5  # width of a 1 as a share of its height, at most
PHOTOGRAPHED = 0.5  # times its thickness: how far below an underline in a photo is, at least
FOOT = 0.3  # of its height: how far below a 1 its foot is, at most
BAR = 0.15  # width of a bar as a share of its length, at most
CUT = 0.3  # what writing counts that runs off the sheet
THICK = 0.45  # thickness of a mark as a share of its size, above which it is a blot
FLAT = 4  # times as wide as high: an underline, at least
BOX = 0.9  # share of its rectangle that a box fills, at least; an oval fills less


@dataclass(frozen=True, eq=False)
class Writing:
    """What is written: contrast uint8 [h, w], 0 where nothing is; likeness: how like strokes it is, 0 to 1; score: the
    same by how much there is."""

    contrast: np.ndarray
    likeness: float
    score: float


@dataclass(frozen=True, eq=False)
class Marks:
    """The connected marks of a mask: labels uint16 or int32 [h, w], 0 = paper; the rest has one value
    for paper and each mark."""

    labels: np.ndarray
    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    area: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """The longer side of each, px."""
        sizes: np.ndarray = np.maximum(self.right - self.left, self.bottom - self.top)
        return sizes

    def mask(self, mark: int) -> np.ndarray:
        """One mark, with a margin of one px: uint8 [h, w]."""
        left, top, right, bottom = (int(side[mark]) for side in (self.left, self.top, self.right, self.bottom))
        return np.pad(self.labels[top:bottom, left:right] == mark, 1).view(np.uint8)


def writing(contrast: np.ndarray, threshold: float, sheet: np.ndarray, rows: bool) -> Writing:
    """Find the writing among all that has more than so much contrast in uint8 [h, w], on the sheet of this mask; of
    what is not rows, what may be one digit.

    What is joined with a line that runs off the sheet is looked for again among what has more contrast.
    """
    best, outside = _writing(contrast, threshold, sheet, rows)
    for times in (2, 4, 8):
        if best.score < outside:
            best = max(best, _writing(contrast, times * threshold, sheet, rows)[0], key=lambda found: found.score)
    return best


def _writing(contrast: np.ndarray, threshold: float, sheet: np.ndarray, rows: bool) -> tuple[Writing, float]:
    """What is written with more than so much contrast, and the energy of the rest that runs off the sheet."""
    found = marks_of((contrast > threshold).view(np.uint8))
    edge = _edge(found, sheet)
    if ruled := _spans(found, edge, sheet):
        contrast = without_rulings(contrast, threshold)
        found = marks_of((contrast > threshold).view(np.uint8))
        edge = _edge(found, sheet)
    inside = contrast[(~edge[found.labels]) & (contrast > threshold)]
    if inside.size and (faintest := FAINT * np.percentile(inside, 95)) > threshold:
        found = marks_of((contrast > faintest).view(np.uint8))
        edge = _edge(found, sheet)
    squares = cv2.multiply(contrast, contrast, dtype=cv2.CV_32F)  # or a large faint mark would outdo a digit
    energy = np.bincount(found.labels.ravel(), squares.ravel(), len(found.area))
    kept, likeness = _chosen(found, edge, energy, ruled, rows)
    mask = kept[found.labels].astype(np.uint8)
    around = cv2.dilate(mask, np.ones((3, 3), np.uint8))  # keeps the soft edges
    score = float((likeness * energy)[kept].sum())
    whole = CUT if (kept & edge).any() else 1
    return Writing(contrast * around, score / max(energy[kept].sum(), 1), score * whole), float(energy[edge].sum())


def marks_of(mask: np.ndarray) -> Marks:
    """The marks of a mask uint8 [h, w]."""
    kind = cv2.CV_16U if mask.size < 2**17 else cv2.CV_32S
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=kind)
    left, top, wide, high, area = stats.T
    return Marks(labels, left, top, left + wide, top + high, area)


def around_writing(found: Marks, candidates: np.ndarray, below: float) -> np.ndarray:
    """Which candidates, bool [marks], are no writing but a circle or box around some, or a line under it,
    `below` times its thickness at least."""
    around = np.zeros_like(candidates)
    for mark in np.flatnonzero(candidates).tolist():
        around[mark] = _surrounds(found, mark, candidates)
    rest = candidates & ~around
    for mark in np.flatnonzero(rest).tolist():
        around[mark] = _underlines(found, mark, rest, below)
    return around


def _edge(found: Marks, sheet: np.ndarray) -> np.ndarray:
    """Which marks touch the edge of the sheet, bool [marks]."""
    rim = cv2.erode(sheet, np.ones((3, 3), np.uint8), borderValue=0) < sheet
    edge = np.zeros(len(found.area), bool)
    edge[found.labels[rim]] = True
    edge[0] = False
    return edge


def _spans(found: Marks, edge: np.ndarray, sheet: np.ndarray) -> bool:
    """Whether something reaches across most of the sheet, as rulings do."""
    _, _, width, height = cv2.boundingRect(sheet)
    wide, high = found.right - found.left, found.bottom - found.top
    return bool((edge & ((wide > 0.6 * width) | (high > 0.6 * height))).any())


def _chosen(
    found: Marks, edge: np.ndarray, energy: np.ndarray, ruled: bool, rows: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which marks are writing, bool [marks], and how like strokes they are, 0 to 1. ruled: bars may be left of
    cells."""
    candidates = ~edge
    candidates[0] = False  # paper
    if not candidates.any():
        candidates[1:] = True
    likeness, thickness = np.zeros(len(energy)), np.zeros(len(energy))
    candidates &= energy > SPECKLE * energy[candidates].max(initial=0)
    order = np.argsort(np.where(candidates, -energy, 0))[: MANY_ROWS if rows else MANY]
    candidates &= np.isin(np.arange(len(energy)), order)
    for mark in np.flatnonzero(candidates).tolist():
        thickness[mark] = 2 * cv2.distanceTransform(found.mask(mark), cv2.DIST_L2, 3).max()
        likeness[mark] = np.clip((THICK - thickness[mark] / found.size[mark]) / 0.2, 0.02, 1)
    if not candidates.any():
        return candidates, likeness
    candidates &= ~around_writing(found, candidates, PHOTOGRAPHED)
    if ruled:
        candidates = _without_bars(found, candidates, thickness)
    main = int(np.argmax(np.where(candidates, energy * likeness, -1)))
    if rows:
        return candidates & (thickness < PEN * thickness[main]), likeness
    size = found.size[main]
    gap_x = np.maximum(found.left - found.right[main], found.left[main] - found.right)
    gap_y = np.maximum(found.top - found.bottom[main], found.top[main] - found.bottom)
    near = np.maximum(gap_x, gap_y) < NEAR * size
    return candidates & (near | (found.size > LARGE * size)) & (thickness < PEN * thickness[main]), likeness


def _without_bars(found: Marks, candidates: np.ndarray, thickness: np.ndarray) -> np.ndarray:
    """The candidates, bool [marks], that are no straight lines, or all if there is no other."""
    straight = np.zeros_like(candidates)
    for mark in np.flatnonzero(candidates).tolist():
        narrow = min(cv2.minAreaRect(np.argwhere(found.mask(mark)).astype(np.float32))[1])
        straight[mark] = narrow < max(3 * thickness[mark], BAR * found.size[mark])
    others = candidates & ~straight
    tall = found.size > found.size[others].max(initial=0)
    return candidates & ~(straight & tall) if others.any() else candidates


def _surrounds(found: Marks, mark: int, candidates: np.ndarray) -> bool:
    """Whether a mark is a circle or box around others."""
    wide, high = found.right[mark] - found.left[mark], found.bottom[mark] - found.top[mark]
    inside = (found.left > found.left[mark]) & (found.right < found.right[mark])
    inside &= (found.top > found.top[mark]) & (found.bottom < found.bottom[mark]) & candidates
    large = np.flatnonzero(inside & (found.size > INNER * max(wide, high))).tolist()
    if found.area[mark] > 0.5 * wide * high or not large or (len(large) == 1 and _is_slash(found, large[0])):
        return False
    gap = max(3, round(GAP * max(wide, high)))
    closed = cv2.dilate(np.pad(found.mask(mark), gap), np.ones((gap, gap), np.uint8))
    outline = max(cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    rectangle = cv2.minAreaRect(outline)[1]
    filled = cv2.contourArea(outline) / max(rectangle[0] * rectangle[1], 1)
    return bool(filled > BOX or (0.7 < wide / high < 1.8 and filled > 0.7))


def _is_slash(found: Marks, mark: int) -> bool:
    """Whether a mark is a straight line aslant, as in a zero."""
    wide, high = found.right[mark] - found.left[mark], found.bottom[mark] - found.top[mark]
    sides = cv2.minAreaRect(np.argwhere(found.mask(mark)).astype(np.float32))[1]
    return bool(0.5 < wide / high < 2 and min(sides) < 0.3 * max(sides))


def _underlines(found: Marks, mark: int, candidates: np.ndarray, below: float) -> bool:
    """Whether a mark is a flat line under all others, which are no 1, whose foot it would be."""
    others = candidates.copy()
    others[mark] = False
    wide, high = found.right[mark] - found.left[mark], found.bottom[mark] - found.top[mark]
    if not others.any() or wide < FLAT * high:
        return False
    height = found.bottom[others].max() - found.top[others].min()
    width = found.right[others].max() - found.left[others].min()
    gap = found.top[mark] - found.bottom[others].max()
    foot = width < SLIM * height and gap < FOOT * height
    return bool(gap > below * found.area[mark] / wide and height > wide / 4 and not foot)
