"""The shipped model on drawings: the project's own, and those of real people where a setting names them."""

import cv2
import numpy as np
import pytest

import model_loader
from experiments.evaluation import drawings as drawn
from experiments.evaluation import scribbles
from experiments.evaluation.drawings import CLEAR
from experiments.insights.drawings_report import LAYOUTS
from experiments.preprocessing.drawings import prepare_drawing
from serving.prediction.predict import predict_images
from settings import ROOT, Settings


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return model_loader.load(
        "mnist", Settings(models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    )


def outcome(classifier, drawings, layout) -> drawn.Outcome:
    sheets = drawn.put_on_pad(drawings, layout, 0)
    return drawn.score(sheets, classifier.predict(sheets.images))


def strokes_of(setting: str) -> drawn.Drawings:
    path = getattr(Settings(), setting)
    if path is None:
        pytest.skip(f"{setting.upper()} names no file of real strokes")
    return drawn.read_strokes(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_generated_drawings_of_any_size_and_brush(classifier, layout) -> None:
    scores = outcome(classifier, drawn.generate(600, seed=1), LAYOUTS[layout]).scores()
    assert scores["accuracy"] > 0.96
    assert scores["refused"] < 0.02
    assert scores["sure_accuracy"] > 0.98


def test_real_drawings(classifier) -> None:
    drawings = drawn.sample(drawn.half_of_writers(strokes_of("drawn_strokes"), odd=False), 1000, seed=1)
    scores = outcome(classifier, drawings, LAYOUTS["usual"]).scores()
    assert scores["accuracy"] > 0.97
    assert scores["sure"] > 0.93
    assert scores["refused"] < 0.015


def test_real_letters_are_rejected(classifier) -> None:
    letters = strokes_of("drawn_letters")
    sheets = drawn.put_on_pad(letters, LAYOUTS["usual"], 0)
    verdicts = np.array([answer.verdict for answer in classifier.predict(sheets.images)])
    assert (verdicts[np.isin(letters.labels, CLEAR)] == "rejected").mean() > 0.88


DENSE = ("parallel strokes", "spiral", "zigzag", "to and fro", "many lines")


def test_scribbles_are_rejected(classifier) -> None:
    scribbled = scribbles.draw(1600, seed=5)
    sheets = drawn.put_on_pad(scribbled, LAYOUTS["usual"], 0)
    rejected = np.array([answer.verdict == "rejected" for answer in classifier.predict(sheets.images)])
    assert rejected.mean() > 0.9
    for kind in DENSE:
        assert rejected[scribbled.labels == kind].mean() > 0.97, kind


def test_patches_that_a_pen_has_filled_are_rejected(classifier) -> None:
    """Discs with a pinhole, and hatched bars too wide for a 1."""
    rng = np.random.default_rng(6)
    discs, bars = [], []
    for _ in range(100):
        disc, bar = np.full((2, 400, 400), 255, np.uint8)
        turn, sides = rng.uniform(0, 180), rng.uniform(120, 220, 2)
        cv2.ellipse(disc, ((200, 200), sides, turn), 0, cv2.FILLED)
        cv2.circle(disc, (200, 200), int(rng.integers(2, 7)), 255, cv2.FILLED)
        discs.append(prepare_drawing(disc))
        for x in range(120, 280, 8):
            top, bottom = rng.normal([150, 250], 8).astype(int)
            cv2.line(bar, (x, top), (x, bottom), 0, 14)
        bars.append(prepare_drawing(bar))
    for patches, share in ((discs, 0.9), (bars, 0.95)):
        assert np.mean([answer.verdict == "rejected" for answer in predict_images(classifier, patches)]) > share


CHANGES = {
    "none": lambda sheet: sheet,
    "half": lambda sheet: cv2.resize(sheet, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "twice": lambda sheet: cv2.resize(sheet, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
    "JPEG": lambda sheet: cv2.imdecode(
        cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])[1], cv2.IMREAD_GRAYSCALE
    ),
    "inverted": lambda sheet: 255 - sheet,
}


@pytest.fixture(scope="module")
def labels(classifier) -> dict[str, np.ndarray]:
    """Predicted labels of the same 1,000 drawings after each change."""
    rng = np.random.default_rng(0)
    prepared = []
    for strokes in drawn.generate(1000, seed=3).strokes:
        sheet = drawn.ink(drawn.place(strokes, rng.uniform(0.3, 0.9), rng), rng.uniform(8, 28))
        prepared.append([prepare_drawing(change(sheet)) for change in CHANGES.values()])
    answers = (classifier.predict(np.stack(images)) for images in zip(*prepared, strict=True))
    return {
        name: np.array([prediction.label for prediction in predictions])
        for name, predictions in zip(CHANGES, answers, strict=True)
    }


@pytest.mark.parametrize("change", ["half", "twice", "JPEG", "inverted"])
def test_labels_survive_scaling_and_jpeg(labels, change) -> None:
    assert (labels[change] != labels["none"]).mean() <= 0.005
