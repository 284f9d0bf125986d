"""The Insights and Experiments tabs as people see them: plots, light and dark."""

import pytest

from tests.helpers.draw_page import open_draw_page


@pytest.fixture(scope="module", params=["light", "dark"])
def draw_page(chromium, demo, request):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    url, link = f"{demo.url}?__theme={request.param}", demo.operator_link
    with open_draw_page(chromium, url, operator_link=link, **options) as draw_page:
        draw_page.wait_for(lambda: any("/PlotlyPlot-" in address for address in draw_page.requests))
        yield draw_page
        assert draw_page.foreign_requests() == []


@pytest.mark.parametrize("section", ["Data", "Mistakes", "Confidence", "Drawings", "Map"])
def test_every_section_shows_its_plots(draw_page, section):
    draw_page.open_tab("Insights")
    draw_page.open_tab(section)
    draw_page.page.locator("#insights-tab .main-svg:visible").first.wait_for()


def test_the_images_of_a_mistake_can_be_chosen(draw_page):
    draw_page.open_tab("Insights")
    draw_page.open_tab("Mistakes")
    draw_page.page.locator("#insights-cell img").first.wait_for()
    draw_page.page.get_by_role("combobox", name="True class").click()
    draw_page.page.get_by_role("option", name="0", exact=True).click()
    draw_page.page.locator("#insights-cell").get_by_text("0").first.wait_for()
