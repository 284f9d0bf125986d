"""The shipped model on drawings: the project's own, and those of real people where DRAWN_STROKES names them."""

import pytest

import model_loader
from experiments import drawn
from settings import ROOT, Settings


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return model_loader.load(
        "mnist", Settings(models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    )


def accuracy(classifier, drawings, layout) -> float:
    return drawn.answer(drawings, layout, 0, lambda sheet: classifier.classify(sheet).label).accuracy


@pytest.mark.parametrize("brushes", [(6, 8), (16, 28), (34, 40)])
def test_generated_drawings_of_any_brush(classifier, brushes) -> None:
    assert accuracy(classifier, drawn.generate(600, seed=1), drawn.Layout(brushes=brushes)) > 0.94


def test_real_drawings(classifier) -> None:
    strokes = Settings().drawn_strokes
    if strokes is None:
        pytest.skip("DRAWN_STROKES names no file of real strokes")
    drawings = drawn.sample(drawn.read_strokes(strokes), 1000, seed=1)
    assert accuracy(classifier, drawings, drawn.Layout()) > 0.95
