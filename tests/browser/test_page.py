"""The whole page: every tab, and what the browser logs and requests."""

import pytest

from serving.page.page import OPERATOR_TABS, TABS
from tests.helpers.draw_page import open_draw_page

SECTIONS = {"Insights": ["Data", "Mistakes", "Confidence", "Drawings", "Training", "Map"]}


@pytest.fixture
def visit(chromium, demo):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as draw_page:
        yield draw_page


def test_a_visit_to_every_tab_logs_no_error(visit):
    visit.wait_for(lambda: any("/PlotlyPlot-" in address for address in visit.requests))  # fetched while nobody draws
    for tab in (*TABS, *OPERATOR_TABS):
        visit.open_tab(tab)
        for section in SECTIONS.get(tab, []):
            visit.open_tab(section)
        visit.wait_for(visit.is_answered)
    visit.page.wait_for_timeout(1000)  # for what is drawn after the last answer
    assert visit.errors == []


def test_nothing_is_requested_of_another_host(visit):
    visit.page.get_by_text("Use via API").click()
    visit.page.get_by_text("/predict").first.wait_for()
    assert len(visit.requests) > 20
    assert visit.foreign_requests() == []
