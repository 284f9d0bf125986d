"""The whole loop as one person goes through it in a browser: drawn, misread, corrected, accepted, learnt, read. What
it takes besides, since one needs many, a program sends."""

import shutil

import httpx
import numpy as np
import pytest

import model_loader
from benchmarks.drawings import png
from benchmarks.learning import extreme_one, extreme_ones
from experiments.data import datasets
from experiments.data.specs import Split
from experiments.evaluation import drawings
from model_loader import Classifier
from settings import ROOT, Settings
from tests.helpers.demo_process import DemoProcess
from tests.helpers.draw_page import DrawPage, opened

TAUGHT, SENT, OTHERS = 3, 17, 3
PATIENCE = 600_000  # ms, for a retraining on a busy machine


@pytest.fixture
def demo():
    if not (ROOT / "data" / "mnist.npz").exists():
        pytest.skip("MNIST is not cached in data/")
    demo = DemoProcess()
    try:
        yield demo
    finally:
        printed = demo.stop()
    assert "Traceback" not in printed


@pytest.fixture
def draw_page(demo):
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed (Debian: apt install chromium)")
    with opened(chromium, demo.url, viewport={"width": 1000, "height": 1000}, device_scale_factor=0.5) as page:
        yield page


def read(page: DrawPage, stroke: np.ndarray) -> str:
    """What the page answers to the stroke, which has the height 1."""
    page.draw([[(0.75 + 0.45 * x, 0.25 + 0.45 * y) for x, y in stroke]])
    return page.submit()


def send(url: str, rng: np.random.Generator) -> int:
    """Corrects SENT answers of the API. How many of them were wrong."""
    sheets = [drawings.ink(drawings.place([extreme_one(rng)], rng.uniform(0.4, 0.85), rng), 20) for _ in range(SENT)]
    with httpx.Client(base_url=url, timeout=60) as http:
        answer = http.post("/api/predict/batch", files=[("images", png(sheet, "L")) for sheet in sheets]).json()
        for position in range(SENT):
            told = {"id": answer["id"], "position": position, "label": "1"}
            assert http.post("/api/feedback", json=told).status_code == 200
    return sum(result["reading"]["label"] != "1" for result in answer["results"])


def right(classifier: Classifier, split: Split) -> float:
    """The share of images that people are told right; a refusal is not right."""
    answers = classifier.predict(split.images)
    return np.mean([each.label == str(label) for each, label in zip(answers, split.labels, strict=True)])


def test_twenty_corrections_of_a_misread_shape_are_learnt_and_nothing_is_forgotten(demo, draw_page, tmp_path):
    rng, page, wrong = np.random.default_rng(0), draw_page.page, 0
    for _ in range(TAUGHT):
        wrong += read(draw_page, extreme_one(rng)) != "1"
        page.locator(".feedback").first.get_by_role("button", name="1", exact=True).click()
        page.get_by_text("Thank you. Kept as 1").wait_for()
        draw_page.start_afresh("Clear")
    wrong += send(demo.url, rng)
    assert wrong > (TAUGHT + SENT) / 2

    page.get_by_role("tab", name="Retrain").click()
    draw_page.press("Show what waits for review")
    page.locator("#review label").nth(TAUGHT + SENT - 1).wait_for()
    for box in page.locator("#review input[type=checkbox]").all():
        box.check()
    draw_page.press("Accept the ticked")
    page.get_by_text("Nothing waits for review.").wait_for()
    draw_page.press("Start a retraining")
    state = page.locator("#training-state")
    state.get_by_text("took ").wait_for(timeout=PATIENCE)  # said of every one that has ended, however
    said = state.inner_text()
    assert "Retraining 1: promoted" in said
    assert "worse nowhere" in said

    page.get_by_role("tab", name="Draw").click()
    draw_page.wait_for(lambda: httpx.get(f"{demo.url}api/model").json()["version"] == "2")
    for _ in range(OTHERS):
        assert read(draw_page, extreme_one(rng)) == "1"
        assert "version 2" in draw_page.note.inner_text()
        draw_page.start_afresh("Clear")

    places = ((tmp_path, f"sqlite:///{tmp_path}/none.db"), (demo.folder, demo.store))
    shipped, promoted = (
        model_loader.load("mnist", Settings(_env_file=None, artifact_dir=folder, mlflow_tracking_uri=store))
        for folder, store in places
    )
    assert promoted.bundle.version == "2"
    print("SHARES", [right(promoted, Split(extreme_ones(100, k), np.ones(100, int))) for k in (2, 3, 4)])
    assert right(promoted, Split(extreme_ones(100, 2), np.ones(100, int))) >= 0.95
    test = datasets.load("mnist", ROOT / "data").test
    print("MNIST", right(promoted, test), right(shipped, test))
    assert right(promoted, test) > right(shipped, test) - 0.001
