"""What is on a sheet besides the writing, and what lies around it."""

from collections.abc import Callable

import cv2
import numpy as np

from experiments.evaluation.photographed.writing import Box

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
Printed = Callable[[np.ndarray, Box, np.random.Generator], None]
"""Draws on a sheet uint8 [H, W, 3] around a digit's box, in place."""
Ground = Callable[[tuple[int, int], np.random.Generator], np.ndarray]
"""Returns what a sheet lies on, uint8 [h, w, 3], for a height and width."""

BLUE_LINE, GREY_LINE, RED_LINE = (165, 190, 225), (175, 175, 175), (225, 130, 130)


def ruled(
    sheet: np.ndarray, box: Box, rng: np.random.Generator, lines: float = 0.8, colour: Colour = BLUE_LINE
) -> None:
    """Rule the sheet; the digit is so many lines high and stands near one."""
    gap = box.height / lines
    _lines(sheet, gap, box.top + box.height + rng.uniform(0.02, 0.1) * gap, colour, axis=0)


def squared(
    sheet: np.ndarray, box: Box, rng: np.random.Generator, squares: float = 2, colour: Colour = BLUE_LINE
) -> None:
    """Square the sheet; the digit is so many squares high and anywhere on them."""
    gap = box.height / squares
    for axis in (0, 1):
        _lines(sheet, gap, rng.uniform(0, gap), colour, axis)


def margin_line(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Draw a red line from top to bottom to the left of the digit."""
    _line(sheet, box.left - rng.uniform(0.2, 0.8) * box.height, RED_LINE, axis=1, thickness=2)


def frame(sheet: np.ndarray, box: Box, rng: np.random.Generator, colour: Colour = (70, 70, 80)) -> None:
    """Draw a rectangle around the digit."""
    _rectangle(sheet, box, rng.uniform(0.25, 0.5) * box.height, colour, int(rng.integers(2, 6)))


def cells(sheet: np.ndarray, box: Box, rng: np.random.Generator, colour: Colour = (90, 90, 90)) -> None:
    """Draw a form's row of five cells, the digit in one of them."""
    gap = rng.uniform(0.15, 0.3) * box.height
    side = max(box.width, 0.7 * box.height) + 2 * gap
    place, thickness = int(rng.integers(5)), int(rng.integers(1, 4))
    for cell in range(5):
        around = Box(box.centre[0] - side / 2 + gap + (cell - place) * side, box.top, side - 2 * gap, box.height)
        _rectangle(sheet, around, gap, colour, thickness)


def border(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:  # noqa: ARG001 as all that is printed
    """Draw a line along the picture's own edge."""
    thickness = int(rng.integers(1, 4))
    sheet[:thickness] = sheet[-thickness:] = 30
    sheet[:, :thickness] = sheet[:, -thickness:] = 30


def holes(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Punch a ring binder's holes along the left side."""
    x, gap = 0.14 * sheet.shape[1], sheet.shape[0] * rng.uniform(0.2, 0.35)
    for y in np.arange(rng.uniform(0.3, 0.7) * gap, sheet.shape[0], gap):
        if box.left - x > 20:
            cv2.circle(sheet, (round(x), round(y)), 11, (60, 52, 45), cv2.FILLED, cv2.LINE_AA)


def stain(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Leave a cup's ring of coffee, which may lie under the digit."""
    mark: np.ndarray = np.zeros(sheet.shape[:2], np.uint8)
    x, y = (box.centre + rng.normal(0, 0.8, 2) * box.height).round().astype(int).tolist()
    radius = box.height * rng.uniform(0.7, 1.2)
    cv2.circle(mark, (x, y), round(radius), 60, cv2.FILLED)
    cv2.circle(mark, (x, y), round(radius), 255, max(2, round(0.06 * radius)))
    share = cv2.GaussianBlur(mark, (0, 0), 2)[..., np.newaxis] * (rng.uniform(0.25, 0.4) / 255)
    sheet[:] = (sheet - share * (sheet - np.array([120.0, 80, 40]))).round().astype(np.uint8)


def dust(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Leave specks of one or two px, dark and light, as a scanner's glass does."""
    for _ in range(rng.integers(20, 120)):
        x, y = rng.uniform(0, sheet.shape[1::-1]).astype(int)
        side = rng.integers(1, 3)
        sheet[y : y + side, x : x + side] = rng.choice([40, 120, 255])


def dotted(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Print a grid of dots; the digit is two of them high."""
    gap = box.height / 2
    (top, left), (height, width) = rng.uniform(0, gap, 2), sheet.shape[:2]
    for y in np.arange(top, height, gap).round().astype(int).tolist():
        for x in np.arange(left, width, gap).round().astype(int).tolist():
            cv2.circle(sheet, (x, y), 2, (130, 130, 140), cv2.FILLED, cv2.LINE_AA)


def other_side(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Let the print of the other side show through: lines of words, some 15 levels darker than the paper."""
    rows, columns = sheet.shape[0] // 4, sheet.shape[1] // 4
    text = (rng.random((rows, columns)) < 0.5) * (np.arange(rows) % 8 < 4)[:, np.newaxis]
    text *= np.repeat(rng.random(columns // 4 + 1) < 0.85, 4)[:columns]  # gaps between words
    faint = 20 * cv2.resize(text.astype(np.float32), sheet.shape[1::-1])
    sheet[:] = cv2.merge([cv2.subtract(plane, faint.astype(np.uint8)) for plane in cv2.split(sheet)])


def crease(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Fold the sheet near the digit: either side of the fold takes the light differently."""
    rows, columns = np.ogrid[: sheet.shape[0], : sheet.shape[1]]
    angle, (x, y) = rng.uniform(0, np.pi), box.centre + rng.normal(0, 0.4, 2) * box.height
    beyond = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    change = (12 * np.sign(beyond) * np.exp(-np.abs(beyond) / 60)).astype(np.float32)
    sheet[:] = cv2.merge([np.clip(plane + change, 0, 255).astype(np.uint8) for plane in cv2.split(sheet)])


def fingers(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:
    """Hold the sheet by two fingers at its left or right border, away from the digit."""
    height, width = sheet.shape[:2]
    x = 0 if box.centre[0] > width / 2 else width
    for y in np.array([0, 0.14 * height]) + rng.uniform(0.2, 0.7) * height:
        reach = min(rng.uniform(0.13, 0.19) * width, abs(box.centre[0] - x) - 0.6 * box.width)
        axes = (round(max(reach, 1)), round(0.06 * height))
        colour = (np.array([205, 155, 130]) + rng.normal(0, 10, 3)).tolist()
        cv2.ellipse(sheet, (x, round(y)), axes, rng.uniform(-8, 8), 0, 360, colour, cv2.FILLED, cv2.LINE_AA)


def screen(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Let a screen's pixels interfere with the camera's."""
    waves = _weave(sheet.shape[:2], rng.uniform(0.3, 1.2, 2), 5)
    sheet[:] = cv2.merge([np.clip(plane + waves, 0, 255).astype(np.uint8) for plane in cv2.split(sheet)])


def smears(sheet: np.ndarray, box: Box, rng: np.random.Generator) -> None:  # noqa: ARG001
    """Leave what a sponge has not wiped off a board: broad faint clouds."""
    clouds = 7 * _mottle(sheet.shape[:2], (4, 7), rng)
    sheet[:] = cv2.merge([cv2.add(plane, clouds, dtype=cv2.CV_8U) for plane in cv2.split(sheet)])


def dark_table(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A dark table top."""
    colour = np.array([52, 44, 38]) + rng.normal(0, 8, 3)
    return _coloured(colour, 4 * _mottle(shape, (6, 6), rng))


def wood(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Light wood with a grain along one side."""
    cells = (60, 5) if rng.integers(2) else (5, 60)
    return _coloured(np.array([188, 150, 108]) + rng.normal(0, 8, 3), 10 * _mottle(shape, cells, rng))


def cloth(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A light woven cloth."""
    return _coloured(np.array([172, 178, 186]) + rng.normal(0, 10, 3), _weave(shape, rng.uniform(0.5, 0.9, 2), 9))


def grey_page(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The page of an application."""
    return np.full((*shape, 3), rng.integers(195, 240), np.uint8)


def _coloured(colour: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values float32 [h, w] around a colour [3]."""
    planes = [np.clip(values + level, 0, 255).astype(np.uint8) for level in colour.tolist()]
    ground: np.ndarray = cv2.merge(planes)
    return ground


def _weave(shape: tuple[int, int], steps: np.ndarray, levels: float) -> np.ndarray:
    """Waves down and across, float32 [h, w], of so many radians per px."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    waves: np.ndarray = levels * np.sin(rows * steps[0]) * np.sin(columns * steps[1])
    return waves.astype(np.float32)


def _mottle(shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Smooth noise float32 [h, w] of so many cells down and across."""
    return cv2.resize(rng.standard_normal(cells, np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)


def _lines(sheet: np.ndarray, gap: float, phase: float, colour: Colour, axis: int) -> None:
    for place in np.arange(phase % gap, sheet.shape[axis], gap):
        _line(sheet, float(place), colour, axis, thickness=1 + (gap > 60))


def _line(sheet: np.ndarray, place: float, colour: Colour, axis: int, thickness: int) -> None:
    """A line across the sheet (axis 0: level) at this place."""
    start, end = (0, round(place)), (sheet.shape[1 - axis], round(place))
    cv2.line(sheet, start[:: 1 - 2 * axis], end[:: 1 - 2 * axis], colour, thickness)


def _rectangle(sheet: np.ndarray, box: Box, gap: float, colour: Colour, thickness: int) -> None:
    start = round(box.left - gap), round(box.top - gap)
    end = round(box.left + box.width + gap), round(box.top + box.height + gap)
    cv2.rectangle(sheet, start, end, colour, thickness)
