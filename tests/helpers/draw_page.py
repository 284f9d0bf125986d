"""The Draw tab as a person handles it: a real mouse, what is on the screen, names that can be read."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from tests.helpers.digits import Stroke

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
MARGIN = 30  # px that Gradio keeps free around the sheet
TIMEOUT_S = 60.0  # s, for a busy machine without a graphics card
SLOW_DISPLAY = """{
    const next = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = draw => setTimeout(() => next(draw), 100);
}"""
"""The pad draws itself anew with each frame, changed or not, which without a graphics card takes a whole processor core
at sixty frames a second: the display shows ten."""


@contextmanager
def open_draw_page(chromium: str, url: str, smooth: bool = False, **options: Any) -> Iterator["DrawPage"]:
    """The page in a browser of its own: after some forty clears software rendering crawls. `smooth`: for people to look
    at. `options`: the tab's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS + CAMERA)
        try:
            page = browser.new_page(**options)
            if not smooth:
                page.add_init_script(SLOW_DISPLAY)
            yield DrawPage(page, url)
        finally:
            browser.close()


class DrawPage:
    """Opens `url` in `page` and waits until it can be drawn on."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.requested: list[str] = []
        self._ended: list[str] = []  # streams of answers
        page.on("request", lambda request: self.requested.append(request.url))
        for end in ("requestfinished", "requestfailed"):  # Gradio aborts a stream that has told everything
            page.on(end, lambda request: "/queue/data" in request.url and self._ended.append(request.url))
        page.set_default_timeout(1000 * TIMEOUT_S)
        page.goto(url)
        self.answer: Locator = page.get_by_test_id("label-output-value")
        self.preprocessed: Locator = page.locator(".preprocessed img")
        self.note: Locator = page.locator(".block.note")
        self.live: Locator = page.get_by_label("Answer while I draw")
        self.wait_for(self._is_ready)

    def draw(self, strokes: list[Stroke]) -> None:
        """Strokes of (x, y), 0 to 1 over the sheet; the mouse button is down along each."""
        left, top, side = self._sheet()
        mouse = self.page.mouse
        for first, *rest in [[(left + x * side, top + y * side) for x, y in stroke] for stroke in strokes]:
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def press(self, name: str) -> None:
        """A button by the name that is seen or spoken."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def submit(self) -> str:
        """Presses Submit and returns the large text of the answer that comes."""
        self.press_and_wait("Submit")
        self.answer.wait_for()
        return self.answer.inner_text()

    def start_afresh(self, button: str) -> None:
        """Presses Clear or the bin icon and waits until the pad can be drawn on."""
        self.press_and_wait(button)
        self.wait_for(self._is_answered)  # by every event of the button's: a late one would empty what comes next
        self.wait_for(self._is_ready)

    def press_and_wait(self, name: str) -> None:
        """Presses a button and waits for the server's answer, not for the end of one that came before."""
        self.wait_for(self._is_answered)
        before = len(self._ended)
        self.press(name)
        self.wait_for(lambda: len(self._ended) > before)

    def upload(self, picture: Path) -> None:
        """Gives the picture to the upload beside the pad."""
        chooser = self.page.locator("#upload input[type=file]")
        if not chooser.count():
            self.page.get_by_role("button", name="Can't draw?").click()
        chooser.set_input_files(picture)

    def ink(self) -> float:
        """Share of the sheet that is dark on the screen, once the screen has come to rest."""
        before, now = -1.0, self._ink()
        while now != before:  # a busy machine shows a stroke many frames after the browser has taken it
            self.page.wait_for_timeout(300)
            before, now = now, self._ink()
        return now

    def _ink(self) -> float:
        self._wait_for_display()
        return float((self._look() < 100).mean())

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Asks again and again; TimeoutError when patience ends."""
        end = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > end:
                shown = self.page.locator("body").inner_text()
                raise TimeoutError(f"what was waited for did not come; the page says:\n{shown}")
            self.page.wait_for_timeout(50)

    def _wait_for_display(self) -> None:
        """Until it shows what was drawn: the pad does so with the next frame, and may have begun the present one."""
        self.page.evaluate("new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))")

    def _is_answered(self) -> bool:
        """No stream of answers is open."""
        return len(self._ended) == sum("/queue/data" in each for each in self.requested)

    def _is_ready(self) -> bool:
        """An empty sheet and the brush in hand."""
        asked = (
            self.page.get_by_text("select the draw tool").count() or self.page.get_by_text("Upload an image").count()
        )
        return self.page.locator("#pad canvas").count() > 0 and not asked and bool(self._look().min() > 200)

    def _sheet(self) -> tuple[float, float, float]:
        self.page.mouse.move(1, 1)
        box = self.page.locator("#pad canvas").first.bounding_box() or {}
        side = min(box["width"], box["height"]) - 2 * MARGIN
        return box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2, side

    def _look(self) -> np.ndarray:
        """uint8 [h, w]: the grey values of the sheet, less the edge under the pad's label and tools."""
        left, top, side = self._sheet()
        clip = {"x": left + 5, "y": top + 10, "width": side - 10, "height": side - 15}
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("L"))
