"""Films the page while a digit is drawn and answered: `python -m docs.moving_picture`. Needs Debian's chromium."""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image

from tests.helpers.demo_process import DemoProcess
from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import DrawPage, open_draw_page

PICTURE = Path(__file__).parent / "screenshots" / "drawing.gif"
SIZE = (1000, 720)  # px of the window
WIDTH = 800  # px of the picture
HOLD = 2500  # ms that the answer stays
FRAME = 120  # ms of every other frame


def main() -> None:
    """Draw two digits on the real page with a real mouse and write screenshots/drawing.gif."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed (Debian: apt install chromium)")
    demo = DemoProcess()
    frames: list[tuple[Image.Image, int]] = []
    try:
        with open_draw_page(chromium, demo.url, smooth=True, viewport={"width": SIZE[0], "height": SIZE[1]}) as page:
            page.page.locator("#pad").scroll_into_view_if_needed()
            for digit in ("2", "7"):
                _film(page, digit, frames)
                page.start_afresh("Clear")
    finally:
        demo.stop()
    pictures, durations = zip(*frames, strict=True)
    first, *rest = [picture.quantize(64, dither=Image.Dither.NONE) for picture in pictures]
    first.save(PICTURE, save_all=True, append_images=rest, duration=list(durations), loop=0, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e6:.2f} MB, {len(frames)} frames")


def _film(page: DrawPage, digit: str, frames: list[tuple[Image.Image, int]]) -> None:
    """Add a frame after each stretch of the pen, then the answer."""
    frames.append((_frame(page), 5 * FRAME))
    for stroke in DIGITS[digit]:
        for end in range(2, len(stroke) + 1):
            page.draw([stroke[end - 2 : end]])
            frames.append((_frame(page), FRAME))
    page.submit()
    page.page.mouse.move(1, 1)
    page.page.wait_for_timeout(1000)  # the answer fades in
    frames.append((_frame(page), HOLD))


def _frame(page: DrawPage) -> Image.Image:
    picture = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
    return picture.resize((WIDTH, WIDTH * SIZE[1] // SIZE[0]), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
