"""The sentences follow their figures."""

import pytest

from experiments.insights import data_sentences, model_sentences
from experiments.insights.figures import Bin, Group, Point, Roc
from experiments.training.progress import Epoch
from tests.helpers.figures import REFUSAL, changed, figures


@pytest.fixture(scope="module")
def insights():
    return figures()[0]


def test_classes(insights):
    assert "evenly" in data_sentences.distribution(insights)
    assert "answers" not in data_sentences.distribution(insights)
    uneven = changed(insights, counts={**insights.counts, "train": (10, 30, 50)})
    assert "from 10 (none) to 50 (many)" in data_sentences.distribution(uneven)
    assert "rare classes count for less" in data_sentences.distribution(uneven)
    assert "22.2 points" in data_sentences.distribution(uneven)
    with_traffic = changed(insights, counts={**insights.counts, "traffic": (0, 27, 9)})
    assert "Of 36 answers recorded here, 75 % are one, 42 points more than in training." in data_sentences.distribution(
        with_traffic
    )
    assert "Answers recorded here: 0, too few" in data_sentences.distribution(
        changed(insights, counts={**insights.counts, "traffic": (0, 0, 0)})
    )


def test_averages(insights):
    likeness = ((1.0, 0.2, 0.1), (0.2, 1.0, 0.9), (0.1, 0.9, 1.0))
    varied = changed(insights, variation=(5.0, 9.0, 20.0), likeness=likeness)
    sentence = data_sentences.averages(varied)
    assert "Images of many vary most" in sentence
    assert "none least (5)" in sentence
    assert "one and many are most alike (correlation 0.90), but the model confuses another pair" in sentence
    both = changed(varied, confusion=((40, 0, 0), (0, 30, 10), (0, 0, 40)))
    assert "the model confuses no pair more often" in data_sentences.averages(both)
    perfect = changed(varied, confusion=((40, 0, 0), (0, 40, 0), (0, 0, 40)))
    assert "no pair at all" in data_sentences.averages(perfect)


def test_pixels(insights):
    line = changed(insights, channels={"grey": (0.8, *[0.1 / 30] * 30, 0.1)})
    assert data_sentences.pixels(line).startswith("80 % of all pixels are nearly black, 10 % nearly white")
    assert "almost line drawings" in data_sentences.pixels(line)
    assert "halftones" in data_sentences.pixels(changed(insights, channels={"grey": (1 / 32,) * 32}))
    colours = {"red": (0.5, 0.5), "green": (0.6, 0.4), "blue": (0.9, 0.1)}
    assert "red is the brightest channel" in data_sentences.pixels(changed(insights, channels=colours))
    assert "tinted towards red" in data_sentences.pixels(changed(insights, channels=colours))
    assert "hardly tinted" in data_sentences.pixels(changed(insights, channels=dict.fromkeys(colours, (0.5, 0.5))))


def test_confusion(insights):
    sentence = model_sentences.confusion(insights)
    assert "117 of 120 test images are classified correctly (97.50 %)" in sentence
    assert "none taken for one: 2 times, 5.0 % of all none" in sentence
    assert "Of the 6 possible confusions, 4 never happen." in sentence
    assert "no mistakes" in model_sentences.confusion(changed(insights, confusion=((40, 0, 0), (0, 40, 0), (0, 0, 40))))


def test_per_class(insights):
    assert "the worst one" in model_sentences.per_class(insights)
    missed = changed(insights, confusion=((40, 0, 0), (9, 31, 0), (0, 0, 40)))
    assert "the worst one" in model_sentences.per_class(missed)
    assert "One is missed more often than others are taken for it" in model_sentences.per_class(missed)
    taken = changed(insights, confusion=((31, 9, 0), (0, 40, 0), (0, 9, 31)))
    assert "One is missed less often than others are taken for it" in model_sentences.per_class(taken)


def test_roc(insights):
    low = Roc((0.0, 0.01, 1.0), (0.0, 0.5, 1.0), 0.75)
    sentence = model_sentences.roc(changed(insights, roc=(insights.roc[0], insights.roc[1], low)))
    assert "smallest for many (0.75000)" in sentence
    assert "many is the hardest class: 50.0 % are found" in sentence


def test_reliability(insights):
    vain = changed(insights, calibration=(Bin(0.9, 0.5, 50), Bin(0.4, 0.1, 3)), calibration_error=0.3)
    assert "30.00 points apart on average: confidences should be taken with care" in model_sentences.reliability(vain)
    assert (
        "most overconfident where it states 90 % and is right in 50 % (50 of 53 answers)"
        in model_sentences.reliability(vain)
    )
    modest = changed(insights, calibration=(Bin(0.7, 0.9, 50),), calibration_error=0.01)
    assert "taken at face value" in model_sentences.reliability(modest)
    assert "most underconfident" in model_sentences.reliability(modest)
    assert "Too few" in model_sentences.reliability(changed(insights, calibration=(Bin(0.7, 0.9, 2),)))


def test_confidence(insights):
    right, wrong = (0,) * 18 + (10, 90), (0,) * 18 + (3, 1)
    sentence = model_sentences.confidence(changed(insights, right=right, wrong=wrong))
    assert sentence.startswith(
        "90.0 % of the right answers are more than 95 % confident, and so are 1 of the 4 wrong ones"
    )
    assert "catch 3 mistakes (75 %) and put 10 right answers in doubt (10.0 %)" in sentence
    assert "No answer is wrong" in model_sentences.confidence(changed(insights, wrong=(0,) * 20))


def test_drawings(insights):
    assert "Nobody draws" in model_sentences.drawings(insights)
    size = (Group(0.15, 0.3, 500, 0.9), Group(0.3, 0.5, 500, 0.99))
    sentence = model_sentences.drawings(
        changed(insights, drawings={"size": size, "turn": (Group(-5, 0, 900, 0.95), Group(0, 5, 100, 0.96))})
    )
    assert "1,000 generated drawings" in sentence
    assert "90.0 % at 15 to 30 % of the pad to 99.0 % at 30 to 50 % of the pad, more than chance" in sentence
    assert "95.0 % at -5 to 0 degrees to 96.0 % at 0 to 5 degrees, no more than chance" in sentence


def test_curves(insights):
    assert "best after epoch 8 of 8: 88.00 %" in model_sentences.curves(insights)
    assert "no overfitting" in model_sentences.curves(insights)
    assert "+2.00 points" in model_sentences.curves(insights)
    learnt = changed(insights, curves=(Epoch(1, 0.5, 0.8, 0.4, 0.9), Epoch(2, 0.1, 0.99, 0.6, 0.85)))
    assert "best after epoch 1 of 2: 90.00 %" in model_sentences.curves(learnt)
    assert "(0.100 against 0.600): the model has begun to overfit" in model_sentences.curves(learnt)
    assert "not recorded" in model_sentences.curves(changed(insights, curves=()))


def test_map(insights):
    assert "No two classes touch" in model_sentences.embedding(insights)
    places = [(0.0, 0), (0.1, 0), (9.0, 0), (9.1, 1), (5, 2), (5.1, 2)]
    points = tuple(Point(x, 0.0, true, true, 1.0) for x, true in places)
    sentence = model_sentences.embedding(changed(insights, points=points))
    assert "On the map, 66.7 % of 6 test images" in sentence
    assert "None and one touch most often" in sentence


def test_worst(insights):
    assert "none answered one with 97.0 %" in model_sentences.worst(insights)
    assert "No list of label errors" in model_sentences.worst(insights)
    noted = changed(insights.worst[0], note="label error: people see one")
    sentence = model_sentences.worst(changed(insights, worst=(noted, *insights.worst[1:]), note_source="five people"))
    assert "Of the 3 shown, 1 have a disputed label" in sentence
    assert "five people" in sentence
    assert model_sentences.worst(changed(insights, worst=())) == "There are no mistakes."


def test_refusal(insights):
    assert "was not measured" in model_sentences.refusal(insights)
    sentence = model_sentences.refusal(changed(insights, refusal=REFUSAL))
    assert "Above 37.5 % of the reject class" in sentence
    assert "2.00 % of 7,000 digits" in sentence
    assert "90.00 % of 2,000" in sentence
    assert "0.9975; where 95 % of the digits are kept, 1.25 %" in sentence
