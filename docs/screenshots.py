"""Takes the picture of the page that the README shows: `python -m docs.screenshots`. Needs Debian's chromium."""

import shutil
import sys
from pathlib import Path

from tests.browser.demo_process import DemoProcess
from tests.browser.digits import DIGITS
from tests.browser.draw_page import opened

PICTURE = Path(__file__).parent / "screenshots" / "draw.png"


def main() -> None:
    """Draws on the real page with a real mouse and writes screenshots/draw.png."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed (Debian: apt install chromium)")
    demo = DemoProcess()
    try:
        with opened(chromium, demo.url, viewport={"width": 1280, "height": 880}) as page:
            page.draw(DIGITS["2"])
            page.submit()
            page.page.mouse.move(1, 1)  # off the button
            page.page.wait_for_timeout(1000)  # the answer fades in
            page.page.screenshot(path=PICTURE)
    finally:
        demo.stop()


if __name__ == "__main__":
    main()
