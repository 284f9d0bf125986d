"""The Insights and Experiments tabs as people see them: plots, narrow and wide, and readable by all."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.helpers.draw_page import TIMEOUT_S, open_draw_page

GRADIOS = {"aria-allowed-attr", "aria-prohibited-attr", "aria-required-children", "nested-interactive"}
"""Rules that Gradio's own tabs, dropdowns, switches and empty parts break, whatever is in them."""


@pytest.fixture(scope="module", params=["light", "dark"])
def page(chromium, url, request):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, f"{url}?__theme={request.param}", **options) as draw_page:
        draw_page.wait_for(lambda: any("/PlotlyPlot-" in each for each in draw_page.requested))  # before a tab needs it
        yield draw_page.page
        outside = [each for each in draw_page.requested if not each.startswith((url, "data:", "blob:"))]
        assert outside == []


def show(page, *names):
    for name in names:
        page.get_by_role("tab", name=name, exact=True).first.click()


def serious(page, within):
    """What axe-core finds serious or worse in this part of the page, less Gradio's own."""
    violations = Axe().run(page, context={"include": [[within]]}).response["violations"]
    return [
        (found["id"], node["html"][:200])
        for found in violations
        if found["impact"] in ("serious", "critical") and found["id"] not in GRADIOS
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("section", ["Data", "Mistakes", "Confidence", "Drawings", "Map"])
def test_every_section_shows_its_plots_and_can_be_read_by_all(page, section):
    show(page, "Insights", section)
    page.locator("#insights-tab .main-svg:visible").first.wait_for(timeout=1000 * TIMEOUT_S)
    assert serious(page, "#insights-tab") == []


def test_a_mistake_is_looked_at(page):
    show(page, "Insights", "Mistakes")
    page.locator("#insights-cell img").first.wait_for(timeout=1000 * TIMEOUT_S)
    page.get_by_role("combobox", name="True class").click()
    page.get_by_role("option", name="0", exact=True).click()
    page.locator("#insights-cell").get_by_text("0").first.wait_for(timeout=1000 * TIMEOUT_S)


def test_the_runs_can_be_read_by_all(page):
    show(page, "Experiments")
    page.locator("#experiments-table table").wait_for(timeout=1000 * TIMEOUT_S)
    assert serious(page, "#experiments-tab") == []


def test_nothing_is_wider_than_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_timeout(1000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})
