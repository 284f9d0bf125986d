"""Whom the shipped model's question asks: corrections that are right seldom, those that are wrong nearly always."""

import numpy as np
import pytest

import model_loader
from benchmarks.learning import extreme_ones
from benchmarks.shapes import SHAPES, drawings_of
from experiments.data.specs import Split
from experiments.evaluation import drawings as drawn
from serving.learning.contradictions import Judge
from settings import Settings

COUNT, SEED = 30, 99


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return model_loader.load("mnist", Settings(_env_file=None, artifact_dir=tmp_path_factory.mktemp("none")))


@pytest.fixture(scope="module")
def asked(classifier):
    judge = Judge.of(classifier, Settings(_env_file=None).models_dir)

    def asked(images, labels):
        labels = np.broadcast_to(np.asarray(labels, np.int64), len(images))
        return judge.contradicted(Split(images, labels), np.zeros(len(images), bool)).mean()

    return asked


def test_a_one_with_an_extreme_upstroke_is_a_one_and_nothing_else(asked):
    images = extreme_ones(COUNT, SEED)
    assert asked(images, 1) < 0.1
    for label in (0, 2, 3, 4, 5, 6, 8, 9):
        assert asked(images, label) > 0.85, label


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_asked_about_under_another_label(asked, name):
    _, right, wrong = SHAPES[name]
    images = drawings_of(name, COUNT, SEED)
    assert asked(images, int(wrong)) > 0.8
    if right:
        assert asked(images, int(right)) < 0.1


def test_what_the_model_misreads_may_be_corrected(asked, classifier):
    drawings = drawn.put_on_pad(drawn.generate(1_500, SEED), drawn.Layout(turns=(-28, 28)), SEED)
    read = np.array([prediction.label for prediction in classifier.predict(drawings.images)])
    wrong = read != drawings.labels.astype(str)
    assert wrong.sum() > 10
    assert asked(drawings.images[wrong], drawings.labels[wrong]) < 0.35
