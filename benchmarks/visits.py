"""Time visits of the page in a real browser, side by side with another: `python -m benchmarks.visits URL [URL2]`.

From the start of a visit to a pad that can be drawn on, and what is sent by then and three seconds later. A first visit
finds an empty cache, a second one what the first has left in it. Needs Debian's chromium.
"""

import argparse
import shutil
import statistics
from collections import defaultdict
from typing import NamedTuple

from playwright.sync_api import BrowserContext, sync_playwright

from benchmarks.page import FLAGS

IDLE_MS = 3000  # by then the page has loaded what it leaves for later
DRAWABLE = """() => new Promise(resolve => {
    const prompt = /select the draw tool|Upload an image/;
    const poll = () => {
        const pad = document.querySelector("#pad");
        if (!pad?.querySelector("canvas") || prompt.test(pad.innerText)) return requestAnimationFrame(poll);
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    };
    poll();
})"""
"""Milliseconds from the start of the visit until the pad has been drawn on the screen."""


class Visit(NamedTuple):
    """Milliseconds to a pad that can be drawn on; requests and kB until then; kB with what follows."""

    ready: float
    requests: float
    kilobytes: float
    idle_kilobytes: float


def main() -> None:
    """Print medians and, of two pages, the median ratio of the pairs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visits", description=__doc__)
    parser.add_argument("urls", nargs="+", metavar="URL", help="one page, or two to compare")
    parser.add_argument("--pairs", type=int, default=7, help="first and second visits of each (default: 7)")
    arguments = parser.parse_args()
    if len(arguments.urls) > 2:
        parser.error("Give one address, or two to compare.")
    found = measure(arguments.urls, arguments.pairs)
    for which in ("first", "second"):
        rows = [found[which, url] for url in arguments.urls]
        for url, visits in zip(arguments.urls, rows, strict=True):
            print(f"{which} visit of {url}: {summary(visits)} (n = {len(visits)})", flush=True)
        if len(rows) == 2:
            ratios = sorted(here.ready / there.ready for here, there in zip(*rows, strict=True))
            spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(f"{which} visit, time at the first address / at the second: {spread}")


def measure(urls: list[str], pairs: int) -> dict[tuple[str, str], list[Visit]]:
    """Visit the pages by turns, after one round that is not counted. By which visit and address."""
    found = defaultdict(list)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for number in range(pairs + 1):
            for url in urls if number % 2 else urls[::-1]:
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                for which in ("first", "second"):
                    seen = visit(context, url)
                    if number:
                        found[which, url].append(seen)
                context.close()
        browser.close()
    return found


def visit(context: BrowserContext, url: str) -> Visit:
    """Open the page in a new tab."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"] / 1000))
    page.goto(url, wait_until="commit")
    ready = float(page.evaluate(DRAWABLE))
    requests, kilobytes = len(sizes), sum(sizes)
    page.wait_for_timeout(IDLE_MS)
    page.close()
    return Visit(ready, requests, kilobytes, sum(sizes))


def summary(visits: list[Visit]) -> str:
    """Their medians in words."""
    middle = Visit(*map(statistics.median, zip(*visits, strict=True)))
    return (
        f"{middle.ready:.0f} ms to the pad, {middle.requests:.0f} requests, {middle.kilobytes:.0f} kB, "
        f"{middle.idle_kilobytes:.0f} kB with what follows"
    )


if __name__ == "__main__":
    main()
