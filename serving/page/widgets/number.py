"""The answer to a number: which digits are doubtful, the drawing with a box around each digit, and their images."""

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from experiments.inference.predictions import Digit, Prediction
from experiments.preprocessing.scaling import Box
from serving.page.widgets.gallery import gallery

PREVIEW = 960  # px, the longest side of the picture with the boxes: as sharp on most phones
COLUMNS = 10  # images side by side
NAMED = 3  # doubtful digits named in words
LARGE, MEDIUM = 4, 11  # digits of a row: the text is as large as fits a phone
STYLES = {"sure": ("#1d4ed8", 0), "unsure": ("#c2410c", 16), "rejected": ("#475569", 6)}
"""By verdict: the colour of a box, and the px of each dash of its line; 0 for a solid one."""
LEGEND = {"sure": "Solid: sure.", "unsure": "Dashed: not sure.", "rejected": "Dotted: no digit."}


def number_words(number: Prediction) -> str:
    """The verdict in words; a rejected number has a sentence in the label's place instead."""
    if number.verdict != "unsure":
        return "Sure." if number.verdict == "sure" else ""
    doubts = [_doubt(name, digit) for name, digit in _named(number) if digit.answer.verdict != "sure"]
    if not doubts:
        return "Not sure of the whole, though each digit is sure."
    more = [f"and {len(doubts) - NAMED} more"] if len(doubts) > NAMED else []
    return f"Not sure: {'; '.join(doubts[:NAMED] + more)}."


def number_details(number: Prediction) -> dict[str, Any]:
    """What programs are given of a number beside what they are given of a digit."""
    names = ("label", "verdict", "confidence", "candidates")
    digits = [{"box": digit.box} | {name: getattr(digit.answer, name) for name in names} for digit in number.digits]
    return {"text": number.label, "digits": digits}


def side_by_side(image: np.ndarray | None) -> np.ndarray | None:
    """The images of a number's digits, uint8 [28 * N, 28, 1], side by side in rows of at most ten: uint8 [h, w, 1]."""
    if image is None:
        return None
    side = image.shape[1]
    count = len(image) // side
    columns, rows = min(count, COLUMNS), -(-count // COLUMNS)
    sheet = np.zeros((rows * side, columns * side, 1), np.uint8)
    for position in range(count):
        top, left = side * (position // COLUMNS), side * (position % COLUMNS)
        sheet[top : top + side, left : left + side] = image[side * position : side * (position + 1)]
    return sheet


def number_html(number: Prediction, preview: bytes, size: tuple[int, int]) -> str:
    """HTML of the drawing with its boxes and of the digits' images below. preview: a small picture of the drawing,
    empty where there is none; size: px, of the drawing as it was sent, in which the boxes are."""
    longest = max(map(len, number.label.split("\n")))
    length = "large" if longest <= LARGE and "\n" not in number.label else "medium" if longest <= MEDIUM else "small"
    classes = f"whole-number {length}" if number.label else "whole-number"
    boxes = _boxes_html(number, preview, size) if preview else ""
    shown = [(digit.answer.image, _caption(digit)) for digit in number.digits if digit.answer.image is not None]
    return f'<div class="{classes}">{boxes}{gallery(shown)}</div>'


def draw_boxes(picture: Image.Image, digits: Sequence[Digit], scale: float) -> Image.Image:
    """Draw a box with its label around each digit. scale: px of the picture for one of the picture as sent."""
    drawn = picture.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    heights = [scale * (digit.box[3] - digit.box[1]) for digit in digits]
    font = ImageFont.load_default(max(14, min(36, round(0.3 * float(np.median(heights))))))
    for digit in digits:
        left, top, right, bottom = (round(scale * side) for side in digit.box)
        box = (max(left - 4, 1), max(top - 4, 1), min(right + 4, drawn.width - 2), min(bottom + 4, drawn.height - 2))
        _draw_box(draw, box, digit.answer.verdict)
        _draw_label(draw, box, digit, font)
    return drawn


def _boxes_html(number: Prediction, preview: bytes, size: tuple[int, int]) -> str:
    with Image.open(io.BytesIO(preview)) as picture:
        enlarged = PREVIEW / max(picture.size)  # a drawing is smaller, and its boxes' labels would be blurred
        width, height = (round(enlarged * side) for side in picture.size)
        large = picture.convert("RGB").resize((width, height))
    boxed, buffer = draw_boxes(large, number.digits, PREVIEW / max(size)), io.BytesIO()
    boxed.save(buffer, "WEBP", quality=85, method=2)  # a tenth of a photo's PNG
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    text = html.escape("The drawing with a box around each digit: " + ", ".join(map(_caption, number.digits)))
    verdicts = {digit.answer.verdict for digit in number.digits}
    legend = " ".join(words for verdict, words in LEGEND.items() if verdict in verdicts) if len(verdicts) > 1 else ""
    return f'<figure class="boxes"><img alt="{text}" src="{source}"><figcaption>{legend}</figcaption></figure>'


def _draw_box(draw: ImageDraw.ImageDraw, box: Box, verdict: str) -> None:
    """A line on white, which is seen on a dark photo too."""
    colour, dash = STYLES[verdict]
    draw.rectangle(box, outline="white", width=6)
    left, top, right, bottom = box[0] + 1, box[1] + 1, box[2] - 1, box[3] - 1
    if not dash:
        draw.rectangle((left, top, right, bottom), outline=colour, width=4)
        return
    for start in range(left, right, 2 * dash):
        end = min(start + dash, right)
        draw.rectangle((start, top, end, top + 3), fill=colour)
        draw.rectangle((start, bottom - 3, end, bottom), fill=colour)
    for start in range(top, bottom, 2 * dash):
        end = min(start + dash, bottom)
        draw.rectangle((left, start, left + 3, end), fill=colour)
        draw.rectangle((right - 3, start, right, end), fill=colour)


def _draw_label(
    draw: ImageDraw.ImageDraw, box: Box, digit: Digit, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    """White on the box's colour: above it, or within where there is no room."""
    answer = digit.answer
    text = f"{answer.label}?" if answer.verdict == "unsure" else answer.label or "?"
    _, _, width, height = draw.textbbox((0, 0), text, font)
    left, top = box[0], box[1] - round(height) - 6
    top = top if top >= 0 else box[1]
    draw.rectangle((left, top, left + width + 10, top + height + 6), fill=STYLES[answer.verdict][0])
    draw.text((left + 5, top + 2), text, "white", font)


def _caption(digit: Digit) -> str:
    answer = digit.answer
    return " or ".join(answer.candidates) or answer.label or "no digit"


def _named(number: Prediction) -> list[tuple[str, Digit]]:
    """Each digit with its place in the text."""
    rows, names = number.label.split("\n"), list[str]()
    for row, text in enumerate(rows, 1):
        of_row = f" of row {row}" if len(rows) > 1 else ""
        names += [f"the {_ordinal(place)}%s{of_row}" for place in range(1, len(text) + 1)]
    return list(zip(names, number.digits, strict=True))


def _doubt(name: str, digit: Digit) -> str:
    if not digit.answer.label:
        return f"{name % ' mark'} is no digit"
    return f"{name % ' digit'} may be {' or '.join(digit.answer.candidates)}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
