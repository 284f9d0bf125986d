"""axe-core over every tab, on a desk and on phones, light and dark."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page
from tests.helpers.tabs import open_tab, tour

WIDTHS = [1280, 390, 320]
FAULTS = """async () => {
    const rules = { "label-content-name-mismatch": { enabled: true } };
    const found = await axe.run({ exclude: [".main-svg"] }, { rules, resultTypes: ["violations"] });
    return found.violations
        .filter((fault) => ["serious", "critical"].includes(fault.impact))
        .flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.html.slice(0, 200)}`));
}"""
"""Without the plots: axe tells nothing of their thousands of shapes, and takes seconds over them."""


@pytest.fixture(scope="module")
def page(chromium, demo):
    options = {"viewport": {"width": WIDTHS[0], "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as draw_page:
        draw_page.draw(DIGITS["7"])
        assert draw_page.submit() == "7"
        draw_page.page.evaluate(AXE_SCRIPT)
        draw_page.page.add_style_tag(content="* { transition: none !important; }")  # of colours to those of a theme
        yield draw_page


@pytest.mark.parametrize("width", WIDTHS)
def test_every_tab_is_accessible_light_and_dark(page, width):
    page.page.set_viewport_size({"width": width, "height": 900})
    faults = {}
    for tab, section in tour():
        open_tab(page.page, tab, section)
        page.wait_for(page.is_answered)
        for theme in ("light", "dark"):
            page.page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
            for fault in page.page.evaluate(FAULTS):
                faults.setdefault(fault, []).append(f"{tab} {section} {theme}")
    assert not faults, "\n".join(f"{fault} {where}" for fault, where in faults.items())
