"""Time the page in a real browser, from a click to the screen: `python -m benchmarks.page`.

Submit to its answer, alone and while the API works at half its capacity; opening the Insights tab to its first plot, in
a new browser each time. Needs Debian's chromium.
"""

import argparse
import shutil
import statistics
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Page, sync_playwright

from benchmarks import drawings
from benchmarks.load import locust
from benchmarks.peers import demo
from benchmarks.processes import free_ports

Measured = TypeVar("Measured")
PACE = 5  # requests a second of each PacedApiUser in locustfile.py
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CLICK = """() => new Promise(resolve => {
    const started = performance.now();
    const poll = () => document.querySelector(".note").innerText.includes("Read in")
        ? resolve(performance.now() - started) : setTimeout(poll, 4);
    [...document.querySelectorAll("button")].find(button => button.innerText.trim() == "Submit").click();
    poll();
})"""

OPEN = """() => new Promise(resolve => {
    const started = performance.now();
    const visible = plot => plot.getBoundingClientRect().width > 0;
    const poll = () => [...document.querySelectorAll("#insights-tab .main-svg")].some(visible)
        ? resolve(performance.now() - started) : setTimeout(poll, 4);
    [...document.querySelectorAll("button[role=tab]")].find(tab => tab.innerText.trim() == "Insights").click();
    poll();
})"""


def main() -> None:
    """Print the median and the slowest, without load and under it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rate", type=int, required=True, help="API requests a second: half of what it can answer")
    parser.add_argument("--count", type=int, default=15, help="submits each (default: 15)")
    arguments = parser.parse_args()
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = Path(name)
        drawings.write(folder / "png")
        server = demo(port, folder / "state")
        try:
            report("Insights", [opened(url, open_insights, width=1280) for _ in range(5)])
            report("Submit", opened(url, partial(submits, count=arguments.count)))
            users = max(1, arguments.rate // PACE)
            seconds = 10 + 6 * arguments.count  # longer than the browser needs
            load = threading.Thread(
                target=locust, args=[url, "PacedApiUser", users, seconds, folder / "png"], daemon=True
            )
            load.start()
            report(
                f"Submit, {users * PACE} API requests a second",
                opened(url, partial(submits, count=arguments.count)),
            )
        finally:
            server.stop()


def opened(url: str, measure: Callable[[Page], Measured], width: int = 390) -> Measured:
    """Open the page in a browser of its own, `width` px wide, wait until it has settled, and measure."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 1400})
        page.set_default_timeout(60_000)
        page.goto(url)
        page.locator("#pad canvas").first.wait_for()
        page.wait_for_timeout(3000)
        measured = measure(page)
        browser.close()
    return measured


def open_insights(page: Page) -> float:
    """Return the milliseconds from opening the tab to its first plot."""
    return float(page.evaluate(OPEN))


def submits(page: Page, count: int) -> list[float]:
    """Return the milliseconds of `count` submits after one warm-up."""
    return [submit(page) for _ in range(count + 1)][1:]


def submit(page: Page) -> float:
    """Draw a stroke, submit it and clear the pad. Return the milliseconds from click to answer."""
    box = page.locator("#pad canvas").first.bounding_box() or {}
    middle, top = box["x"] + box["width"] / 2, box["y"]
    page.mouse.move(middle, top + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, top + 0.7 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    milliseconds = page.evaluate(CLICK)
    page.get_by_role("button", name="Clear", exact=True).first.click()
    page.wait_for_timeout(1500)
    return float(milliseconds)


def report(name: str, times: list[float]) -> None:
    """Print one line."""
    print(f"{name}: p50 {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms (n = {len(times)})", flush=True)


if __name__ == "__main__":
    main()
