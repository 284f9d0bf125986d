"""Every tab on a phone, a tablet, a desk and a wide screen: within the window, no control over another, no error."""

import pytest

from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page
from tests.helpers.tabs import open_tab, tour

WIDTHS = [390, 768, 1280, 1920]
FAULTS = """() => {
    const scrolls = (box) =>
        box && (["auto", "scroll"].includes(getComputedStyle(box).overflowX) || scrolls(box.parentElement));
    const name = (control) => `${control.tagName} ${control.ariaLabel || control.innerText || control.className}`;
    const controls = [...document.querySelectorAll("button, input, textarea, select, a[href], summary")]
        .filter((control) => control.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        .map((control) => ({ control, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 4 && box.height > 4);
    const faults = controls
        .filter(({ box }) => box.right > innerWidth + 1 || box.left < -1)
        .filter(({ control }) => !scrolls(control.parentElement))
        .map(({ control }) => `${name(control)} leaves the window`);
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) faults.push(`${scrollWidth} px are wider than the window`);
    controls.forEach((one, place) => controls.slice(place + 1).forEach((other) => {
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > 2 && down > 2 && !one.control.contains(other.control))
            faults.push(`${name(one.control)} is over ${name(other.control)}`);
    }));
    return faults;
}"""


@pytest.mark.parametrize("width", WIDTHS)
def test_every_tab_fits_without_overlaps_or_errors(chromium, demo, width):
    options = {"viewport": {"width": width, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as visit:
        visit.draw(DIGITS["7"])
        assert visit.submit() == "7"
        faults = []
        for tab, section in tour():
            open_tab(visit.page, tab, section)
            visit.wait_for(visit.is_answered)
            faults += [f"{tab} {section}: {fault}" for fault in visit.page.evaluate(FAULTS)]
        visit.page.wait_for_timeout(1000)  # for what is drawn after the last answer
        assert faults == []
        assert visit.errors == []
