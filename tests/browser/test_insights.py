"""The Insights and Experiments tabs as people see them: plots, narrow and wide, and accessible."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.helpers.draw_page import open_draw_page

BROKEN_BY_GRADIO = {"aria-allowed-attr", "aria-prohibited-attr", "aria-required-children", "nested-interactive"}
"""Rules that Gradio's own tabs, dropdowns, switches and empty components break, whatever is in them."""


@pytest.fixture(scope="module", params=["light", "dark"])
def draw_page(chromium, demo, request):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    url, link = f"{demo.url}?__theme={request.param}", demo.operator_link
    with open_draw_page(chromium, url, operator_link=link, **options) as draw_page:
        draw_page.wait_for(lambda: any("/PlotlyPlot-" in address for address in draw_page.requests))
        yield draw_page
        assert draw_page.foreign_requests() == []


def accessibility_faults(page, selector):
    """What axe-core finds serious or critical in this part of the page, less Gradio's own."""
    violations = Axe().run(page, context={"include": [[selector]]}).response["violations"]
    return [
        (violation["id"], node["html"][:200])
        for violation in violations
        if violation["impact"] in ("serious", "critical") and violation["id"] not in BROKEN_BY_GRADIO
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("section", ["Data", "Mistakes", "Confidence", "Drawings", "Map"])
def test_every_section_shows_its_plots_and_is_accessible(draw_page, section):
    draw_page.open_tab("Insights")
    draw_page.open_tab(section)
    draw_page.page.locator("#insights-tab .main-svg:visible").first.wait_for()
    assert accessibility_faults(draw_page.page, "#insights-tab") == []


def test_the_images_of_a_mistake_can_be_chosen(draw_page):
    draw_page.open_tab("Insights")
    draw_page.open_tab("Mistakes")
    draw_page.page.locator("#insights-cell img").first.wait_for()
    draw_page.page.get_by_role("combobox", name="True class").click()
    draw_page.page.get_by_role("option", name="0", exact=True).click()
    draw_page.page.locator("#insights-cell").get_by_text("0").first.wait_for()


def test_the_runs_are_accessible(draw_page):
    draw_page.open_tab("Experiments")
    draw_page.page.locator("#experiments-table table").wait_for()
    assert accessibility_faults(draw_page.page, "#experiments-tab") == []


def test_nothing_is_wider_than_a_phone(draw_page):
    draw_page.page.set_viewport_size({"width": 390, "height": 900})
    draw_page.page.wait_for_function("document.documentElement.scrollWidth <= 390")
    draw_page.page.set_viewport_size({"width": 1280, "height": 900})
