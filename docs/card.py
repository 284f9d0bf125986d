"""Draw the picture of the page's card and its icons, in serving/page/pictures: `python -m docs.card`."""

from math import dist
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from serving.page.card import COLOUR, PAPER, TITLE
from tests.helpers.digits import DIGITS, Stroke

FOLDER = Path(__file__).parents[1] / "serving" / "page" / "pictures"
CARD = (1200, 630)  # px, as the services that show cards want it
SCALE = 2  # drawn so many times as large, since Pillow's lines have hard edges
DIGIT = "2"
INK, GREY, WHITE = "#0f172a", "#64748b", "#ffffff"
ICON_SIDE = 512  # px
STEPS, LONG = 8, 0.3  # points between two of a stroke; of the sheet, between two that a straight line joins
CONFIDENCES = (("2", 0.98), ("7", 0.01), ("3", 0.01))  # for show


def main() -> None:
    """Write card.png, icon-192.png and icon-512.png."""
    FOLDER.mkdir(exist_ok=True)
    icon = draw_icon()
    _save(draw_card(), CARD, "card")
    for side in (192, 512):
        _save(icon, (side, side), f"icon-{side}")


def draw_card() -> Image.Image:
    """A sheet with a digit on it and the answer beside it."""
    picture = Image.new("RGB", (SCALE * CARD[0], SCALE * CARD[1]), PAPER)
    draw = ImageDraw.Draw(picture)
    draw.rectangle(_scaled((0, 0, CARD[0], 130)), COLOUR)
    _text(draw, (64, 65), TITLE, 60, WHITE, "lm")
    draw.rounded_rectangle(_scaled((64, 170, 474, 580)), SCALE * 20, WHITE, "#cbd5e1", SCALE * 2)
    _ink(draw, DIGITS[DIGIT], (84, 190, 454, 560), 24, INK)
    draw.rounded_rectangle(_scaled((534, 170, 1136, 580)), SCALE * 20, WHITE, "#cbd5e1", SCALE * 2)
    _text(draw, (835, 270), DIGIT, 170, INK, "mm")
    _text(draw, (835, 382), "Sure.", 34, GREY, "mm")
    for place, (label, confidence) in enumerate(CONFIDENCES):
        top = 430 + 44 * place
        _text(draw, (580, top + 12), label, 30, INK, "lm")
        draw.rounded_rectangle(_scaled((620, top, 990, top + 24)), SCALE * 12, "#e2e8f0")
        draw.rounded_rectangle(_scaled((620, top, 620 + max(24, 370 * confidence), top + 24)), SCALE * 12, COLOUR)
        _text(draw, (1096, top + 12), f"{confidence:.0%}", 30, INK, "rm")
    return picture


def draw_icon() -> Image.Image:
    """A white digit on the page's colour, within the inner four fifths that a round icon shows."""
    picture = Image.new("RGB", (SCALE * ICON_SIDE,) * 2, COLOUR)
    _ink(ImageDraw.Draw(picture), DIGITS[DIGIT], (6, 6, 490, 506), 50, WHITE)
    return picture


def _ink(
    draw: ImageDraw.ImageDraw, strokes: list[Stroke], box: tuple[int, int, int, int], width: int, colour: str
) -> None:
    left, top, right, bottom = box
    for stroke in map(_smooth, strokes):
        points = [(SCALE * (left + (right - left) * x), SCALE * (top + (bottom - top) * y)) for x, y in stroke]
        draw.line(points, colour, SCALE * width)
        for x, y in points:  # round ends and joints
            radius = SCALE * width / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _smooth(stroke: Stroke) -> Stroke:
    """Catmull and Rom's curve through the points, straight into and out of a sharp turn."""
    curve = stroke[:1]
    for place in range(len(stroke) - 1):
        before, start, end, after = (stroke[min(max(place + step, 0), len(stroke) - 1)] for step in (-1, 0, 1, 2))
        if dist(start, end) > LONG:
            curve.append(end)
            continue
        if dist(end, after) > LONG:
            after = end
        for part in (step / STEPS for step in range(1, STEPS + 1)):
            curve.append(
                (
                    _between(before[0], start[0], end[0], after[0], part),
                    _between(before[1], start[1], end[1], after[1], part),
                )
            )
    return curve


def _between(before: float, start: float, end: float, after: float, part: float) -> float:
    slope, bend = end - before, 2 * before - 5 * start + 4 * end - after
    return start + 0.5 * part * (slope + part * (bend + part * (3 * start - before - 3 * end + after)))


def _text(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, size: int, colour: str, anchor: str) -> None:
    draw.text((SCALE * place[0], SCALE * place[1]), text, colour, ImageFont.load_default(SCALE * size), anchor)


def _scaled(box: tuple[float, float, float, float]) -> tuple[float, ...]:
    return tuple(SCALE * side for side in box)


def _save(picture: Image.Image, size: tuple[int, int], name: str) -> None:
    file = FOLDER / f"{name}.png"
    small = picture.resize(size, Image.Resampling.LANCZOS).quantize(96, dither=Image.Dither.NONE)
    small.save(file, optimize=True)
    print(f"{file}: {file.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
