"""Sheets read as evaluation reads them, and as serving does: the same answers of the shipped model."""

import asyncio

import pytest

import model_loader
from experiments.data.specs import SPECS
from experiments.evaluation.photographed.camera import png
from experiments.evaluation.strings.conditions import CONDITIONS
from experiments.evaluation.strings.reading import Source, written
from experiments.numbers.sheets import read_sheet
from serving.prediction.batching import Batcher
from serving.prediction.predict import predict_images
from serving.prediction.prepare import Wanted, prepare_picture
from settings import ROOT, Settings

SOURCE = Source(strokes=None, writers="all", letters=None, seed=4)
CHOSEN = ("1 digit", "3 digits, spaced", "4 digits, touching", "page, ruled", "minus between digits", "word of letters")


class Pool:
    """Prepares pictures in this process."""

    async def prepare(self, wanted, pictures, _client, _bulk=False):
        return [prepare_picture(wanted, sheets) for sheets in pictures]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return model_loader.load(
        "mnist", Settings(models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    )


def served(classifier, sheet):
    async def predict():
        batcher = Batcher({"mnist": classifier}, Pool())
        try:
            return await batcher.predict_one(Wanted("mnist"), [png(sheet[..., None].repeat(3, 2))], "a", "auto")
        finally:
            batcher.close()

    return asyncio.run(predict())


@pytest.mark.parametrize("name", CHOSEN)
def test_evaluation_and_serving_read_the_same(classifier, name):
    assert name in CONDITIONS
    for number in range(2):
        sheet = written(SOURCE, name, number).sheet
        here = read_sheet(sheet, lambda images: predict_images(classifier, images), SPECS["mnist"])
        there = served(classifier, sheet)
        assert (here.label, here.verdict) == (there.label, there.verdict)
        assert here.confidence == pytest.approx(there.confidence, abs=1e-4)
        assert [digit.box for digit in here.digits] == [digit.box for digit in there.digits]
