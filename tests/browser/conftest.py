"""The real page in a process of its own, and a browser that shows it."""

import shutil

import pytest

from tests.helpers.demo_process import DemoProcess
from tests.helpers.draw_page import open_draw_page


@pytest.fixture(scope="session")
def demo():
    demo = DemoProcess(DEMO_LIVE="false")  # test_live.py has the default
    yield demo
    printed = demo.stop()
    assert printed.endswith("Stopped.\nexit status 0\n")
    assert "Traceback" not in printed


@pytest.fixture(scope="session")
def url(demo):
    return demo.url


@pytest.fixture(scope="session")
def chromium():
    return shutil.which("chromium") or pytest.skip("chromium is not installed (Debian: apt install chromium)")


@pytest.fixture(scope="module")
def opened_page(chromium, url):
    """One browser for all tests of a module, which is quicker. As wide as a phone, zoomed out by half, since without a
    graphics card every pixel of the pad costs time; high, so that nothing has to be scrolled."""
    with open_draw_page(chromium, url, viewport={"width": 320, "height": 1000}, device_scale_factor=0.5) as page:
        yield page


@pytest.fixture
def draw_page(opened_page):
    yield opened_page
    opened_page.live.uncheck()
    opened_page.start_afresh("Clear")
