"""How a browser becomes the operator's, and what it shows everyone else."""

import time
from contextlib import contextmanager, suppress

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, sync_playwright

from serving.page.page import OPERATOR_TABS
from tests.helpers.draw_page import FLAGS

PATIENCE = 60  # s
SECONDS_BETWEEN_TRIES = 3  # of one client, at least
WINDOWS = [(1280, "light"), (390, "dark")]
CONTENT = {
    "Experiments": "#experiments-table table",
    "History": "#history-rows",
    "Retrain": "#retrain-path li",
    "Status": "#status .health",
}


@pytest.fixture(params=WINDOWS, ids=lambda window: "-".join(map(str, window)))
def page(chromium, request):
    width, scheme = request.param
    with browse(chromium, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        yield page


@contextmanager
def browse(chromium, **options):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(device_scale_factor=0.5, **options)
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def open_tab(page, name):
    """Open a tab, which on a phone may be in the menu of those that have no room."""
    panel, tab = page.locator(f"#{name.lower()}-tab"), page.get_by_role("tab", name=name, exact=True).first
    menu, item = page.locator(".overflow-menu > button"), page.locator(".overflow-dropdown button", has_text=name)
    end = time.monotonic() + PATIENCE
    while not panel.is_visible():  # until the tabs are laid out a click may go wrong
        assert time.monotonic() < end, name
        for button in (tab, item, menu):
            if button.is_visible():
                with suppress(Error):
                    button.click(timeout=1000)
                break
        page.wait_for_timeout(300)


def line_of(page, name):
    return page.locator(f"#{name.lower()}-tab .for-the-operator")


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def accessibility_faults(page, selector):
    violations = Axe().run(page, context={"include": [[selector]]}).response["violations"]
    return [(violation["id"], node["html"][:200]) for violation in violations for node in violation["nodes"]]


def test_the_link_opens_the_operators_tabs(page, demo):
    page.goto(demo.operator_link)
    assert page.url == demo.url, "the key does not stay in the address"
    for name in OPERATOR_TABS:
        open_tab(page, name)
        page.locator(CONTENT[name]).first.wait_for()
        assert line_of(page, name).is_hidden()
        assert fits(page)


def test_without_the_key_each_is_a_line_that_says_where_it_is(page, demo):
    page.goto(demo.url)
    for name in OPERATOR_TABS:
        open_tab(page, name)
        line_of(page, name).get_by_text("This tab is the operator's.").wait_for()
        assert not page.locator(CONTENT[name]).count()
        assert fits(page)
        assert page.locator(".toast-body").count() == 0
    assert accessibility_faults(page, "#status-tab .for-the-operator") == []
    line_of(page, "Status").get_by_role("link", name="give the key").click()
    page.get_by_label("Operator's key").wait_for()
    assert page.url == f"{demo.url}operator"


def test_the_key_is_given_on_a_page_of_its_own(page, demo):
    page.goto(f"{demo.url}operator")
    assert accessibility_faults(page, "body") == []
    assert page.get_by_label("Operator's key").evaluate("field => field === document.activeElement")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("This key is wrong.").wait_for()
    assert accessibility_faults(page, "body") == []
    assert fits(page)
    page.wait_for_timeout(SECONDS_BETWEEN_TRIES * 1000)
    page.keyboard.type(demo.operator_key)
    for _ in range(2):  # out of the field, into the button
        page.keyboard.press("Tab")
        if page.get_by_role("button").evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    open_tab(page, "Status")
    page.locator(CONTENT["Status"]).first.wait_for()


def test_the_key_is_taken_without_scripts(chromium, demo):
    with browse(chromium, java_script_enabled=False) as page:
        page.goto(f"{demo.url}operator")
        page.get_by_label("Operator's key").fill(demo.operator_key)
        page.get_by_role("button", name="Open the operator's tabs").click()
        page.wait_for_url(demo.url)
        assert page.request.get(f"{demo.url}api/stats").status == 200
