"""Every tab of the page, and every tab within one, opened as people do."""

import time
from collections.abc import Iterator
from contextlib import suppress

from playwright.sync_api import Error, Page

from serving.page.page import OPERATOR_TABS, TABS

SECTIONS = {"Insights": ["Data", "Mistakes", "Confidence", "Drawings", "Training", "Map"]}
PATIENCE_S = 60.0  # for a busy machine


def tour() -> Iterator[tuple[str, str]]:
    """The tabs, each with the name of a tab within it; empty where it has none."""
    for tab in (*TABS, *OPERATOR_TABS):
        for section in SECTIONS.get(tab, [""]):
            yield tab, section


def open_tab(page: Page, name: str, section: str = "") -> None:
    """Open a tab, and one within it. Raises TimeoutError."""
    panel = f"#{name.lower()}-tab"
    _select(page, name, "")
    if section:
        _select(page, section, panel)


def _select(page: Page, name: str, within: str) -> None:
    """On a phone a tab may be in the menu of those that have no room; until they are laid out a click may go wrong."""
    tab = page.locator(f"{within} [role=tab]:visible").get_by_text(name, exact=True)
    menu, item = page.locator(f"{within} .overflow-menu:visible > button"), page.locator(f"{within} .overflow-dropdown")
    item = item.locator("button:visible").get_by_text(name, exact=True)
    deadline = time.monotonic() + PATIENCE_S
    while not (tab.count() and tab.first.get_attribute("aria-selected") == "true"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"The tab {name} does not open.")
        for button in (tab, item, menu):
            if button.count():
                with suppress(Error):
                    button.first.click(timeout=1000)
                break
        page.wait_for_timeout(200)
