"""Pictures of much that is no number: dots, a photo of a printed page, and one of something like a face."""

import cv2
import numpy as np

TEXT = "The quick brown fox jumps over the lazy dog while nine people read a page of printed text about numbers. "
COLUMNS = 70  # characters of a line


def dots(count: int, side: int = 900) -> np.ndarray:
    """A grid of at least so many dots, uint8 [side, side]."""
    sheet = np.full((side, side), 255, np.uint8)
    places = np.linspace(15, side - 15, int(np.ceil(count**0.5))).astype(int).tolist()
    for x in places:
        for y in places:
            cv2.circle(sheet, (x, y), 4, 0, cv2.FILLED)
    return sheet


def printed_page(lines: int, seed: int = 0) -> np.ndarray:
    """A photo of a page with so many lines of text, uint8 [1500, 1100]."""
    height, width = 1500, 1100
    page, text = np.full((height, width), 250, np.uint8), lines * TEXT
    for line in range(lines):
        words, place = text[COLUMNS * line : COLUMNS * (line + 1)], (50, 60 + line * (height - 90) // lines)
        cv2.putText(page, words, place, cv2.FONT_HERSHEY_COMPLEX, 0.65, 20, 1, cv2.LINE_AA)
    return _photographed(page, seed)


def face(seed: int = 0) -> np.ndarray:
    """Something like a photo of a face before a wall, uint8 [1200, 900]."""
    rng, size = np.random.default_rng(seed), (1200, 900)
    photo = 95 + 200 * cv2.GaussianBlur(rng.standard_normal(size), (0, 0), 25)
    for centre, axes, grey in (
        ((450, 1290), (420, 330), 70.0),  # shoulders
        ((450, 950), (150, 190), 165.0),  # neck
        ((450, 640), (280, 360), 180.0),  # head
        ((450, 360), (300, 190), 45.0),  # hair
        *(((450 + side, 560), (60, 28), 235.0) for side in (-115, 115)),
        *(((450 + side, 560), (24, 24), 50.0) for side in (-115, 115)),
        *(((450 + side, 500), (75, 10), 60.0) for side in (-115, 115)),
        ((450, 690), (35, 75), 165.0),
        ((450, 850), (105, 28), 130.0),  # mouth
    ):
        cv2.ellipse(photo, centre, axes, 0, 0, 360, grey, cv2.FILLED)
    photo = cv2.GaussianBlur(photo, (0, 0), 5)
    for x, y in rng.integers((165, 150), (735, 340), (500, 2)).tolist():  # hair
        cv2.line(photo, (x, y), (x + 20, y + 110), rng.uniform(20, 80), 2, cv2.LINE_AA)
    photo += 60 * cv2.GaussianBlur(rng.standard_normal(size), (0, 0), 2)
    return _photographed(photo, seed)


def _photographed(picture: np.ndarray, seed: int) -> np.ndarray:
    """Soft, lit from one side, and grainy."""
    height, width = picture.shape
    light = np.linspace(0.7, 1, width)[np.newaxis] * np.linspace(1, 0.8, height)[:, np.newaxis]
    grain = np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.0) * light + grain, 0, 255).astype(np.uint8)
