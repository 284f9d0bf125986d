"""The whole page: every tab, and what the browser logs and requests."""

import pytest

from tests.helpers.draw_page import open_draw_page
from tests.helpers.tabs import open_tab, tour


@pytest.fixture
def visit(chromium, demo):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, **options) as draw_page:
        yield draw_page


def test_a_visitor_to_every_tab_sees_no_error_logged(visit):
    visit.wait_for(lambda: any("/PlotlyPlot-" in address for address in visit.requests))  # fetched while nobody draws
    for tab, section in tour():
        open_tab(visit.page, tab, section)
        visit.wait_for(visit.is_answered)
    visit.page.wait_for_timeout(1000)  # for what is drawn after the last answer
    assert visit.errors == []


def test_nothing_is_requested_of_another_host(visit):
    visit.page.get_by_text("Use via API").click()
    visit.page.get_by_text("/predict").first.wait_for()
    assert len(visit.requests) > 20
    assert visit.foreign_requests() == []
