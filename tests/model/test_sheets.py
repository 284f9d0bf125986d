"""Sheets read as evaluation reads them, and as serving does: the same answers of the shipped model."""

import asyncio

import numpy as np
import pytest

import model_loader
from experiments.data.specs import SPECS
from experiments.evaluation import drawings
from experiments.evaluation.photographed.camera import png
from experiments.evaluation.strings.compose import of_one_writer, write_page
from experiments.evaluation.strings.conditions import CONDITIONS
from experiments.evaluation.strings.reading import Source, written
from experiments.numbers.candidates import MOST
from experiments.numbers.sheets import read_sheet
from serving.prediction.batching import Batcher
from serving.prediction.predict import predict_images
from serving.prediction.prepare import Wanted, prepare_picture
from settings import ROOT, Settings
from tests.helpers import crowded

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


def served(classifier, sheet, expect="auto"):
    async def predict():
        batcher = Batcher({"mnist": classifier}, Pool())
        try:
            return await batcher.predict_one(Wanted("mnist"), [png(sheet[..., None].repeat(3, 2))], "a", expect)
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


CROWDED = {
    "2,000 dots": lambda: crowded.dots(2000),
    "100 dots": lambda: crowded.dots(100),
    "a printed page of 12 lines": lambda: crowded.printed_page(12),
    "a printed page of 50 lines": lambda: crowded.printed_page(50),
    "a face": crowded.face,
}


@pytest.mark.parametrize("expect", ["auto", "digit"])
@pytest.mark.parametrize("picture", CROWDED.values(), ids=CROWDED)
def test_what_is_far_more_than_a_number_is_rejected(classifier, picture, expect):
    answer = served(classifier, picture(), expect)
    assert (answer.verdict, answer.label) == ("rejected", "")


def test_nothing_is_blank_whatever_is_expected(classifier):
    for expect in ("auto", "digit"):
        assert served(classifier, np.full((900, 900), 255, np.uint8), expect).verdict == "blank"


def test_a_sheet_of_200_digits_is_read(classifier):
    digits, rng = drawings.generate(300, seed=3), np.random.default_rng(2)
    page = write_page(digits, [of_one_writer(digits, 20, rng) for _ in range(10)], rng, slant=0)
    asked = []

    def predict(images):
        asked.append(len(images))
        return predict_images(classifier, images)

    answer = read_sheet(page.sheet, predict, SPECS["mnist"])
    right = sum(read == drawn for read, drawn in zip(answer.label, page.text, strict=True))
    assert right >= 190 + 9  # newlines among them
    assert sum(asked) <= 1 + 2 * MOST
