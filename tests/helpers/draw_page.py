"""The Draw tab as people use it: a real mouse, what the screen shows, names that can be read."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from tests.helpers.digits import Stroke

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
MARGIN = 30  # px that Gradio keeps free around the sheet
SQUARE_PAD, WIDE_PAD = ("#pad", 1.0), ("#wide-pad", 2.0)  # and how many times as wide as high
TIMEOUT_S = 60.0  # for a busy machine without a graphics card
QUIET_S = 0.2  # from the request of an event to the stream that brings its answer: half of that
SLOW_DISPLAY = """{
    const next = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = draw => setTimeout(() => next(draw), 100);
}"""
"""Ten frames a second: the pad redraws itself with each frame, changed or not, which without a graphics card takes a
whole processor core at sixty."""
NEXT_FRAME_DRAWN = "new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
"""What has changed is drawn with the next frame, and the present one may have begun before."""


@contextmanager
def open_draw_page(
    chromium: str, url: str, smooth: bool = False, operator_link: str = "", **options: Any
) -> Iterator["DrawPage"]:
    """Open the page in a browser of its own, since software rendering crawls after some forty clears. smooth: for
    recordings; operator_link: asked first, for its cookie; options: the browser page's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS + CAMERA)
        try:
            page = browser.new_page(**options)
            if not smooth:
                page.add_init_script(SLOW_DISPLAY)
            if operator_link:
                page.request.get(operator_link, max_redirects=0)
            yield DrawPage(page, url)
        finally:
            browser.close()


class DrawPage:
    """Opens `url` in `page` and waits until it can be drawn on. `requests` holds the addresses of all requests so far,
    `errors` what the browser has logged as an error."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._origin = url.partition("?")[0]
        self._open_requests = self._ended_streams = 0  # of Gradio's queue
        self._last_activity = 0.0  # time.monotonic(), likewise
        page.on("request", self._start_request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._keep_error)
        for ended in ("requestfinished", "requestfailed"):  # Gradio aborts a stream that has brought every answer
            page.on(ended, self._end_request)
        self._pad, self._shape = SQUARE_PAD
        page.set_default_timeout(1000 * TIMEOUT_S)
        expect.set_options(1000 * TIMEOUT_S)
        page.goto(url)
        self.answer: Locator = page.get_by_test_id("label-output-value")
        self.preprocessed: Locator = page.locator(".preprocessed img")
        self.note: Locator = page.locator(".block.note")
        self.digits: Locator = page.locator(".digits .pictures figcaption")
        self.live: Locator = page.get_by_label("Answer while I draw")
        self.wait_for(self._is_ready)

    def draw(self, strokes: list[Stroke]) -> None:
        """Draw strokes of (x, y), 0 to 1 over the sheet, with the mouse button down along each."""
        left, top, width, height = self._sheet()
        mouse = self.page.mouse
        for first, *rest in [[(left + x * width, top + y * height) for x, y in stroke] for stroke in strokes]:
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def open_tab(self, name: str) -> None:
        """Open a tab, or a tab within the open one."""
        self.page.get_by_role("tab", name=name, exact=True).first.click()

    def press(self, name: str) -> None:
        """Press a button by its text or accessible name."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def press_and_wait(self, name: str) -> None:
        """Press a button and wait until its own answer, not that of an earlier event, is on the screen."""
        self.wait_for(self.is_answered)
        before = self._ended_streams
        self.press(name)
        self.wait_for(lambda: self._ended_streams > before)
        self.page.evaluate(NEXT_FRAME_DRAWN)

    def submit(self) -> str:
        """Press Submit and return the large text of its answer."""
        self.press_and_wait("Submit")
        return self.answer.inner_text()

    def start_afresh(self, button: str) -> None:
        """Press Clear or the bin icon and wait until the pad can be drawn on."""
        self.press_and_wait(button)
        self.wait_for(self.is_answered)  # every event of the button: a late one would empty what comes next
        self.wait_for(self._is_ready)

    def choose_pad(self, wide: bool) -> None:
        """Have the wide pad or the square one and wait until it can be drawn on."""
        self.page.get_by_label("Wide pad for numbers").set_checked(wide)
        self._pad, self._shape = WIDE_PAD if wide else SQUARE_PAD
        self.wait_for(self._is_ready)
        self.wait_for(self.is_answered)

    def expect_square_pad(self) -> None:
        """Go on with the square pad, which an example has brought back."""
        expect(self.page.get_by_label("Wide pad for numbers")).not_to_be_checked()
        self._pad, self._shape = SQUARE_PAD

    def upload(self, picture: Path) -> None:
        """Choose the picture in the upload below the pad."""
        chooser = self.page.locator("#upload input[type=file]")
        if not chooser.count():
            self.page.get_by_role("button", name="Can't draw?").click()
            self.page.evaluate(NEXT_FRAME_DRAWN)
        chooser.set_input_files(picture)

    def ink(self) -> float:
        """Return the share of the sheet that is dark on the screen, once it has stayed the same for 0.6 s: a busy
        machine shows a stroke many frames after the browser has taken it."""
        shares = [self._ink()]
        while shares[-3:] != [shares[-1]] * 3:
            self.page.wait_for_timeout(300)
            shares.append(self._ink())
        return shares[-1]

    def is_answered(self) -> bool:
        """Whether no event waits for its answer, nor has done so a moment ago."""
        return not self._open_requests and time.monotonic() - self._last_activity > QUIET_S

    def foreign_requests(self) -> list[str]:
        """Return the addresses of requests to other hosts."""
        return [address for address in self.requests if not address.startswith((self._origin, "data:", "blob:"))]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Poll the condition until it holds. Raises TimeoutError."""
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                text = self.page.locator("body").inner_text()
                raise TimeoutError(f"The condition still does not hold; the page says:\n{text}")
            self.page.wait_for_timeout(50)

    def _keep_error(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _start_request(self, request: Request) -> None:
        self.requests.append(request.url)
        if "/queue/" in request.url:
            self._open_requests += 1
            self._last_activity = time.monotonic()

    def _end_request(self, request: Request) -> None:
        if "/queue/" in request.url:
            self._open_requests -= 1
            self._ended_streams += "/queue/data" in request.url
            self._last_activity = time.monotonic()

    def _ink(self) -> float:
        self.page.evaluate(NEXT_FRAME_DRAWN)
        return float((self._screenshot() < 100).mean())

    def _is_ready(self) -> bool:
        """Whether the sheet is empty and the brush selected."""
        for prompt in ("select the draw tool", "Upload an image"):
            if self.page.get_by_text(prompt).count():
                return False
        return self.page.locator(f"{self._pad} canvas").count() > 0 and bool(self._screenshot().min() > 200)

    def _sheet(self) -> tuple[float, float, float, float]:
        """Left, top, width and height in px."""
        self.page.mouse.move(1, 1)
        self.page.locator(self._pad).scroll_into_view_if_needed()
        box = self.page.locator(f"{self._pad} canvas").first.bounding_box() or {}
        height = min((box["width"] - 2 * MARGIN) / self._shape, box["height"] - 2 * MARGIN)
        width = self._shape * height
        return box["x"] + (box["width"] - width) / 2, box["y"] + (box["height"] - height) / 2, width, height

    def _screenshot(self) -> np.ndarray:
        """Return the grey values of the sheet, uint8 [h, w], less the edge under the pad's label and tools."""
        left, top, width, height = self._sheet()
        clip = {"x": left + 5, "y": top + 10, "width": width - 10, "height": height - 15}
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("L"))
