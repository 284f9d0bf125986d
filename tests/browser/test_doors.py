"""What a browser lets other sites do with the page, and what it lets the page do itself."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from tests.helpers.demo_process import DemoProcess
from tests.helpers.draw_page import FLAGS


class FramingSite(ThreadingHTTPServer):
    """Another site, whose only page has that at `framed` within it."""

    daemon_threads = True
    framed = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FramingPage)
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()


class FramingPage(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<iframe src='{self.server.framed}' width=900 height=700></iframe>".encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture(scope="module")
def other_site():
    site = FramingSite()
    yield site
    site.shutdown()
    site.server_close()


@pytest.fixture(scope="module")
def guarded(other_site):
    """A page with a login, which the other site may embed under the name of localhost."""
    listed = f"http://localhost:{other_site.server_address[1]}"
    demo = DemoProcess(DEMO_USERNAME="ann", DEMO_PASSWORD="secret", DEMO_FRAME_ANCESTORS=listed)  # noqa: S106
    yield demo.url
    demo.stop()


@contextmanager
def browse(chromium, address):
    """Open an address. Gives its page and the errors that the browser logs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page, errors = browser.new_page(), []
        page.set_default_timeout(60_000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page, errors
        browser.close()


def log_in(page):
    page.get_by_label("username").fill("ann")
    page.get_by_label("password").fill("secret")
    page.get_by_role("button", name="Login").click()
    page.get_by_role("tab", name="Draw", exact=True).first.wait_for()


def test_the_documentation_is_shown_and_asks_the_api(chromium, url):
    with browse(chromium, f"{url}docs") as (page, errors):
        page.get_by_role("button", name="GET /api/health").first.click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        page.locator(".live-responses-table").get_by_text("200").first.wait_for()
        assert errors == []


def test_a_foreign_page_shows_it_not(chromium, guarded, other_site):
    other_site.framed = guarded
    with browse(chromium, f"http://127.0.0.1:{other_site.server_address[1]}/") as (page, errors):
        assert page.frames[1].url.startswith("chrome-error:")
        assert [error for error in errors if "frame-ancestors" in error]


def test_a_listed_page_shows_it_to_visitors_alone(chromium, guarded, other_site):
    other_site.framed = guarded
    with browse(chromium, guarded) as (page, errors):
        log_in(page)
        assert not [error for error in errors if "Content Security Policy" in error]
        page.goto(f"http://localhost:{other_site.server_address[1]}/")
        page.frame_locator("iframe").get_by_label("username").wait_for()
        page.goto(guarded)
        page.get_by_role("tab", name="Draw", exact=True).first.wait_for()
        page.goto(f"{guarded}logout")
        page.get_by_label("username").wait_for()


def test_another_site_reads_and_changes_nothing(chromium, guarded, other_site):
    other_site.framed = "about:blank"
    with browse(chromium, guarded) as (page, _):
        log_in(page)
        page.goto(f"http://127.0.0.1:{other_site.server_address[1]}/")
        answers = page.evaluate(
            """address => Promise.all([
                fetch(address + "gradio_api/user", {credentials: "include"}),
                fetch(address + "gradio_api/token", {credentials: "include"}),
                fetch(address + "api/history", {credentials: "include", mode: "no-cors"}),
                fetch(address + "logout", {credentials: "include", mode: "no-cors"}),
                new Promise((shown, hidden) => {
                    const image = new Image();
                    image.onload = shown;
                    image.onerror = hidden;
                    image.src = address + "favicon.ico";
                }),
            ].map(asked => asked.then(reply => reply.type || "read", () => "refused")))""",
            guarded,
        )
        assert answers == ["refused"] * 5
        page.goto(guarded)
        page.get_by_role("tab", name="Draw", exact=True).first.wait_for()
