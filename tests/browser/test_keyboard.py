"""The page by keyboard alone: Tab walks through each tab, seen and without a trap."""

import pytest

from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page
from tests.helpers.tabs import open_tab, tour

MOST_STOPS = 150
SETTLES_MS = 400  # what takes the focus may change the page
CONTROLS = """() => {
    const controls = document.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0'], summary");
    const inTurn = control => control.checkVisibility({visibilityProperty: true}) && !control.disabled
        && control.tabIndex >= 0 && (control.type !== "radio" || control.checked || !document.querySelector(
            `input[name="${CSS.escape(control.name)}"]:checked`));
    return [...controls].filter(inTurn).map(control => control.dataset.stop = control.dataset.stop
        || `${control.tagName} ${control.ariaLabel || control.innerText || control.className} ${Math.random()}`);
}"""
"""Names, made unique, of the controls that Tab should stop at; of radio buttons it stops at one."""
START = """() => {
    document.querySelector("#start")?.remove();
    document.body.prepend(Object.assign(document.createElement("span"), {id: "start", tabIndex: -1}));
    document.querySelector("#start").focus();
}"""
STOP = """() => {
    const stop = document.activeElement, {width, height} = stop.getBoundingClientRect();
    if (stop === document.body) return null;
    const style = getComputedStyle(stop), ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const seen = width > 4 && height > 4 && stop.checkVisibility({opacityProperty: true, visibilityProperty: true});
    return {name: stop.dataset.stop || stop.outerHTML.slice(0, 200), seen, ring};
}"""


@pytest.fixture(scope="module")
def page(chromium, demo):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as draw_page:
        draw_page.draw(DIGITS["7"])
        assert draw_page.submit() == "7"
        yield draw_page


def stops(page):
    """What Tab stops at from the top of the page until it leaves it."""
    page.evaluate(START)
    found = []
    while len(found) < MOST_STOPS:
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            return found
        found.append(stop)
    raise AssertionError(f"Tab does not leave the page: {[stop['name'] for stop in found[-5:]]}")


@pytest.mark.parametrize(("tab", "section"), list(tour()))
def test_tab_reaches_every_control_of_a_tab(page, tab, section):
    open_tab(page.page, tab, section)
    page.wait_for(page.is_answered)
    page.page.wait_for_timeout(SETTLES_MS)
    controls = page.page.evaluate(CONTROLS)
    found = stops(page.page)
    assert [stop["name"] for stop in found if not stop["seen"]] == []
    assert [stop["name"] for stop in found if not stop["ring"]] == []
    assert set(controls) - {stop["name"] for stop in found} == set()
    assert len({stop["name"] for stop in found}) == len(found)
