"""Ten digits as people draw them: strokes of (x, y), 0 to 1 over the sheet, y down."""

from math import cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw

Stroke = list[tuple[float, float]]


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Stroke:
    """Part of an ellipse about (x, y), from `start` to `end` in turns, 0 at the right and clockwise. Few points, since
    each takes a browser without a graphics card a third of a second."""
    steps = max(3, round(9 * abs(end - start)))
    angles = [2 * pi * (start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


DIGITS: dict[str, list[Stroke]] = {
    "0": [_arc(0.5, 0.5, 0.2, 0.3, -0.25, 0.76)],
    "1": [[(0.44, 0.3), (0.53, 0.2), (0.52, 0.8)]],
    "2": [[*_arc(0.5, 0.36, 0.19, 0.17, -0.47, 0.12), (0.3, 0.8), (0.74, 0.79)]],
    "3": [[*_arc(0.46, 0.35, 0.18, 0.15, -0.42, 0.25), *_arc(0.46, 0.65, 0.2, 0.16, -0.25, 0.4)]],
    "4": [[(0.36, 0.2), (0.32, 0.53), (0.7, 0.52)], [(0.62, 0.24), (0.6, 0.82)]],
    "5": [[(0.66, 0.2), (0.38, 0.21), (0.36, 0.46), *_arc(0.46, 0.62, 0.2, 0.18, -0.3, 0.4)]],
    "6": [[(0.6, 0.18), (0.43, 0.38), (0.34, 0.58), *_arc(0.5, 0.65, 0.16, 0.16, 0.5, 1.55)]],
    "7": [[(0.3, 0.22), (0.7, 0.22), (0.45, 0.8)]],
    "8": [[*_arc(0.5, 0.35, 0.14, 0.14, 0.2, -0.7), *_arc(0.5, 0.66, 0.17, 0.17, -0.2, 0.75)]],
    "9": [[*_arc(0.48, 0.36, 0.15, 0.15, 0.0, -1.0), (0.62, 0.55), (0.57, 0.82)]],
}


def digits_beside(number: str, wide: float = 1.0) -> list[Stroke]:
    """The digits of a number side by side, on a sheet that is so many times as wide as high."""
    share = 1 / len(number)
    scale = min(1.6 * share, 1 / wide)
    return [
        [(share * (place + 0.5) + scale * (x - 0.5), 0.5 + wide * scale * (y - 0.5)) for x, y in stroke]
        for place, digit in enumerate(number)
        for stroke in DIGITS[digit]
    ]


def draw_on_paper(strokes: list[Stroke], path: Path) -> Path:
    """Write a picture of the strokes in black on white, as wide as the pad's brush draws them."""
    sheet = Image.new("L", (400, 400), 255)
    for stroke in strokes:
        ImageDraw.Draw(sheet).line([(400 * x, 400 * y) for x, y in stroke], fill=0, width=20, joint="curve")
    sheet.save(path)
    return path
