"""The whole loop as one person goes through it in a browser: drawn, misread, corrected, accepted, learnt, read."""

import shutil

import numpy as np
import pytest

from benchmarks.learning import extreme_one
from settings import ROOT
from tests.helpers.demo_process import DemoProcess
from tests.helpers.draw_page import DrawPage, open_draw_page

TAUGHT, OTHERS = 20, 3
PATIENCE = 1_500_000  # ms, for a retraining on a busy machine


@pytest.fixture
def draw_page():
    if not (ROOT / "data" / "mnist.npz").exists():
        pytest.skip("MNIST is not cached in data/")
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed (Debian: apt install chromium)")
    demo = DemoProcess(DEMO_LIVE="false")  # forty drawings in one browser without a graphics card are work enough
    try:
        options = {"viewport": {"width": 1000, "height": 1000}, "device_scale_factor": 0.5}
        with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as page:
            yield page
    finally:
        printed = demo.stop()
    assert "Traceback" not in printed


def read(page: DrawPage, stroke: np.ndarray) -> str:
    """What the page answers to the stroke, which has the height 1."""
    page.draw([[(0.75 + 0.45 * x, 0.25 + 0.45 * y) for x, y in stroke]])
    return page.submit()


def test_twenty_corrections_of_a_misread_shape_are_learnt(draw_page):
    rng, page, wrong = np.random.default_rng(0), draw_page.page, 0
    for _ in range(TAUGHT):
        wrong += read(draw_page, extreme_one(rng)) != "1"
        page.locator(".feedback").first.get_by_role("button", name="1", exact=True).click()
        page.get_by_text("Thank you. Kept as 1").wait_for()
        draw_page.start_afresh("Clear")
    assert wrong > TAUGHT / 2

    page.get_by_role("tab", name="Retrain").click()
    page.locator("#review figure").nth(TAUGHT - 1).wait_for()
    draw_page.press("Accept all")
    draw_page.press("Save decisions")
    page.get_by_text("Nothing waits for review.").wait_for()
    draw_page.press("Start retraining")
    state = page.locator("#training-state")
    state.get_by_text("took ").wait_for(timeout=PATIENCE)  # said of every one that has ended, however
    summary = state.inner_text()
    assert "Retraining 1: promoted" in summary
    assert "worse nowhere" in summary

    page.get_by_role("tab", name="Draw").click()
    version = "fetch('/api/model').then(reply => reply.json()).then(model => model.version)"
    draw_page.wait_for(lambda: page.evaluate(version) == "2")
    draw_page.start_afresh("Clear")  # what is drawn before the tab is laid out again would be lost
    for _ in range(OTHERS):
        assert read(draw_page, extreme_one(rng)) == "1"
        assert "version 2" in draw_page.note.inner_text()
        draw_page.start_afresh("Clear")
