"""Film the whole tour in a real browser: `make video`, about five minutes, writes tour.mp4.

Needs Debian's chromium and ffmpeg. Runs in the MLflow store, if there are any, are shown first.
"""

import base64
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks import drawings
from benchmarks.learning import extreme_one
from benchmarks.load import locust
from benchmarks.peers import demo
from benchmarks.processes import free_ports
from docs.screenshots import WINDOW, mlflow_comparison, show_comparison
from experiments.evaluation import drawings as drawn
from settings import ROOT
from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import DrawPage, open_draw_page

TOUR = ROOT / "tour.mp4"
RATE = 10  # frames a second
LONGEST = 2.0  # s that the film stands still, whatever the page waits for
LOAD = 15  # s
TAUGHT = 20


class Film:
    """A recording of what the browser paints, as pictures in a folder. `longest`: s that one of them may last."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.longest = LONGEST
        self._folder = folder
        self._frames: list[tuple[float, float]] = []  # when it came and how long it may last, s
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._take)
        self._session.send("Page.startScreencast", {"format": "jpeg", "quality": 85})

    def _take(self, event: dict[str, Any]) -> None:
        (self._folder / f"{len(self._frames):06}.jpg").write_bytes(base64.b64decode(event["data"]))
        self._frames.append((event["metadata"]["timestamp"], self.longest))
        self._session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def develop(self, path: Path) -> None:
        """Write the film as H.264."""
        ends = [*[time for time, _ in self._frames[1:]], self._frames[-1][0] + LONGEST]
        lines = [
            f"file {self._folder}/{number:06}.jpg\nduration {min(end - time, longest):.3f}\n"
            for number, ((time, longest), end) in enumerate(zip(self._frames, ends, strict=True))
        ]
        (self._folder / "frames.txt").write_text("".join(lines))
        command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", "frames.txt"]
        # An even number of px each way, which H.264 wants; a pixel format that every player knows.
        shape = ["-vf", f"fps={RATE},scale=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
        subprocess.run([*command, *shape, "-movflags", "+faststart", str(path)], cwd=self._folder, check=True)


def main() -> None:
    """Film MLflow's comparison, drawing, a batch, a correction and a retraining, and a load test."""
    chromium, _ = (
        shutil.which(program) or sys.exit(f"{program} is not installed (Debian: apt install {program})")
        for program in ("chromium", "ffmpeg")
    )
    with tempfile.TemporaryDirectory(prefix="video-") as name:
        folder = Path(name)
        pictures = write_pictures(folder)
        (folder / "frames").mkdir()
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        server, link = demo(port, folder / "state", DEMO_OPERATOR_KEY="of-the-tour"), f"{url}/operator?key=of-the-tour"
        try:
            with open_draw_page(chromium, url, smooth=True, operator_link=link, viewport=WINDOW) as window:
                film = Film(window.page, folder / "frames")
                compare(window.page)
                page = DrawPage(window.page, url)
                draw(page)
                batch(page, pictures["batch"])
                learn(page, pictures["ones"], film)
                load(page, url, folder / "load")
                film.develop(TOUR)
        finally:
            server.stop()
    print(f"{TOUR}: {TOUR.stat().st_size / 1e6:.1f} MB")


def write_pictures(folder: Path) -> dict[str, list[Path]]:
    """Write the uploads: digits for a batch, ones with an extreme upstroke, and the load test's drawings."""
    drawings.write(folder / "load")
    rng = np.random.default_rng(1)
    ones = [drawn.ink(drawn.place([extreme_one(rng)], 0.6, rng), 18) for _ in range(TAUGHT)]
    for number, sheet in enumerate(ones):
        (folder / f"one-{number}.png").write_bytes(drawings.png(sheet, "L"))
    return {"batch": sorted((folder / "load").iterdir())[:48], "ones": sorted(folder.glob("one-*.png"))}


def compare(page: Page) -> None:
    """Show MLflow's own page, if there are runs."""
    with mlflow_comparison() as address:
        if address:
            show_comparison(page, address)
            page.wait_for_timeout(4000)


def draw(page: DrawPage) -> None:
    """Draw and submit two digits."""
    for digit in ("2", "7"):
        page.draw(DIGITS[digit])
        page.submit()
        page.page.wait_for_timeout(2000)
        page.start_afresh("Clear")


def batch(page: DrawPage, files: list[Path]) -> None:
    """Read a batch of pictures."""
    page.page.get_by_role("tab", name="Batch").click()
    tab = page.page.get_by_role("tabpanel").filter(visible=True)
    tab.locator("input[type=file]").first.set_input_files(files)
    tab.get_by_role("button", name="Read all").click()
    tab.locator(".main-svg").first.wait_for()
    page.page.wait_for_timeout(3000)


def learn(page: DrawPage, files: list[Path], film: Film) -> None:
    """Draw a shape that is misread, correct it, upload more of it, retrain, and draw it again."""
    rng, tab = np.random.default_rng(2), page.page.locator
    page.page.get_by_role("tab", name="Draw").click()
    misread(page, rng)
    tab(".feedback").first.get_by_role("button", name="1", exact=True).click()
    page.page.get_by_text("Thank you. Kept as 1").wait_for()
    page.page.wait_for_timeout(2000)
    page.page.get_by_role("tab", name="Retrain").click()
    page.press("Labelled pictures")
    tab("#training-files input[type=file]").set_input_files(files)
    page.page.get_by_label("Labels", exact=True).click()
    page.page.get_by_role("option", name="1", exact=True).click()
    page.press("Check")
    page.page.get_by_role("button", name="Keep").wait_for()
    page.page.wait_for_timeout(2000)
    page.page.get_by_label("accept them").check()
    page.page.get_by_role("button", name="Keep").click()
    page.page.get_by_text("Pictures kept as training data: 20").wait_for()
    page.press("Start retraining")
    tab("#training-state").scroll_into_view_if_needed()
    film.longest = 0.2
    tab("#training-state").get_by_text("Retraining 1: promoted").wait_for(timeout=600_000)
    film.longest = LONGEST
    page.page.wait_for_timeout(10_000)  # within which a promotion takes effect
    page.page.get_by_role("tab", name="Draw").click()
    page.start_afresh("Clear")
    misread(page, rng)


def misread(page: DrawPage, rng: np.random.Generator) -> None:
    """Draw and submit a 1 with an extreme upstroke."""
    page.draw([[(0.75 + 0.45 * x, 0.25 + 0.45 * y) for x, y in extreme_one(rng)]])
    page.submit()
    page.page.wait_for_timeout(2000)


def load(page: DrawPage, url: str, pictures: Path) -> None:
    """Show the Status tab while the API is under load."""
    page.page.get_by_role("tab", name="Status").click()
    asking = threading.Thread(target=locust, args=[url, "ApiUser", 50, LOAD, pictures])
    asking.start()
    page.page.wait_for_timeout(1000 * (LOAD + 5))
    asking.join()


if __name__ == "__main__":
    main()
