"""The gallery of the review, decided by keys, by clicks and by lists."""

import pytest

from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.browser.test_operator import accessibility_faults, browse, fits, open_tab
from tests.helpers.corrections import correction


@pytest.fixture
def corrections(demo, width):
    database = Database(f"sqlite:///{demo.folder / 'history.db'}")
    corrections = Corrections(database)
    corrections.review(CorrectionFilter("mnist"), "dropped")  # what other tests have left
    corrections.add([correction(number, client=f"c{number}") for number in range(width, width + 7)])
    yield corrections
    corrections.review(CorrectionFilter("mnist"), "dropped")
    database.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_decisions_are_made_by_keys_clicks_and_lists_and_saved_together(chromium, demo, corrections, width, scheme):
    with browse(chromium, viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.goto(demo.operator_link)
        open_tab(page, "Retrain")
        figures = page.locator("#review figure")
        figures.nth(6).wait_for()
        page.locator("#retrain-path .now").get_by_text("7 waiting").wait_for()
        newest = [int(figure.get_attribute("data-id")) for figure in figures.all()]
        figures.first.focus()
        for key in ("a", "d", "4", "a", "ArrowLeft", "u"):
            page.keyboard.press(key)
        figures.nth(4).click()
        figures.nth(5).locator("select").select_option("accepted")
        assert page.locator(".decided").inner_text() == "4 to accept, 1 to drop, 2 undecided"
        assert accessibility_faults(page, "#review") == []
        assert fits(page)
        figures.nth(6).focus()
        page.keyboard.press("Enter")
        page.locator("#retrain-path").get_by_text("2 waiting").wait_for()
        assert figures.count() == 2
        labelled = corrections.labelled("mnist", "accepted", ids=newest)
        assert dict(zip(labelled.ids.tolist(), labelled.data.labels.tolist(), strict=True)) == {
            newest[0]: 1, newest[2]: 4, newest[4]: 1, newest[5]: 1
        }  # fmt: skip
        assert corrections.count(CorrectionFilter("mnist", state="dropped", ids=newest)) == 1
