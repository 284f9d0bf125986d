"""Each sentence says what its figures say, and another thing when they are others."""

import pytest

from experiments.insights import data_sentences as data
from experiments.insights import model_sentences as model
from experiments.insights.figures import Bin, Group, Point, Roc
from experiments.training.progress import Epoch
from tests.helpers.figures import changed, figures


@pytest.fixture(scope="module")
def found():
    return figures()[0]


def test_classes(found):
    assert "evenly" in data.distribution(found)
    assert "answers" not in data.distribution(found)
    uneven = changed(found, counts={**found.counts, "train": (10, 30, 50)})
    assert "from 10 (none) to 50 (many)" in data.distribution(uneven)
    assert "rare classes count for less" in data.distribution(uneven)
    assert "22.2 points" in data.distribution(uneven)
    seen = changed(found, counts={**found.counts, "traffic": (0, 27, 9)})
    assert "Of 36 answers recorded here, 75 % are one, 42 points more than in training." in data.distribution(seen)
    assert "Answers recorded here: 0, too few" in data.distribution(
        changed(found, counts={**found.counts, "traffic": (0, 0, 0)})
    )


def test_averages(found):
    likeness = ((1.0, 0.2, 0.1), (0.2, 1.0, 0.9), (0.1, 0.9, 1.0))
    varied = changed(found, variation=(5.0, 9.0, 20.0), likeness=likeness)
    told = data.averages(varied)
    assert "Images of many vary most" in told
    assert "none least (5)" in told
    assert "one and many are most alike (correlation 0.90), but the model confuses another pair" in told
    both = changed(varied, confusion=((40, 0, 0), (0, 30, 10), (0, 0, 40)))
    assert "the model confuses no pair more often" in data.averages(both)
    perfect = changed(varied, confusion=((40, 0, 0), (0, 40, 0), (0, 0, 40)))
    assert "no pair at all" in data.averages(perfect)


def test_pixels(found):
    line = changed(found, channels={"grey": (0.8, *[0.1 / 30] * 30, 0.1)})
    assert data.pixels(line).startswith("80 % of all pixels are nearly black, 10 % nearly white")
    assert "almost line drawings" in data.pixels(line)
    assert "halftones" in data.pixels(changed(found, channels={"grey": (1 / 32,) * 32}))
    colours = {"red": (0.5, 0.5), "green": (0.6, 0.4), "blue": (0.9, 0.1)}
    assert "red is the brightest channel" in data.pixels(changed(found, channels=colours))
    assert "tinted towards red" in data.pixels(changed(found, channels=colours))
    assert "hardly tinted" in data.pixels(changed(found, channels=dict.fromkeys(colours, (0.5, 0.5))))


def test_confusion(found):
    told = model.confusion(found)
    assert "117 of 120 test images are classified correctly (97.50 %)" in told
    assert "none taken for one: 2 times, 5.0 % of all none" in told
    assert "Of the 6 possible confusions, 4 never happen." in told
    assert "no mistakes" in model.confusion(changed(found, confusion=((40, 0, 0), (0, 40, 0), (0, 0, 40))))


def test_per_class(found):
    assert "the worst one" in model.per_class(found)
    missed = changed(found, confusion=((40, 0, 0), (9, 31, 0), (0, 0, 40)))
    assert "the worst one" in model.per_class(missed)
    assert "One is missed more often than others are taken for it" in model.per_class(missed)
    taken = changed(found, confusion=((31, 9, 0), (0, 40, 0), (0, 9, 31)))
    assert "One is missed less often than others are taken for it" in model.per_class(taken)


def test_roc(found):
    low = Roc((0.0, 0.01, 1.0), (0.0, 0.5, 1.0), 0.75)
    told = model.roc(changed(found, roc=(found.roc[0], found.roc[1], low)))
    assert "smallest for many (0.75000)" in told
    assert "many is the hardest class: 50.0 % are found" in told


def test_reliability(found):
    vain = changed(found, calibration=(Bin(0.9, 0.5, 50), Bin(0.4, 0.1, 3)), calibration_error=0.3)
    assert "30.00 points apart on average: confidences should be taken with care" in model.reliability(vain)
    assert "most overconfident where it states 90 % and is right in 50 % (50 of 53 answers)" in model.reliability(vain)
    modest = changed(found, calibration=(Bin(0.7, 0.9, 50),), calibration_error=0.01)
    assert "taken at face value" in model.reliability(modest)
    assert "most underconfident" in model.reliability(modest)
    assert "Too few" in model.reliability(changed(found, calibration=(Bin(0.7, 0.9, 2),)))


def test_confidence(found):
    right, wrong = (0,) * 18 + (10, 90), (0,) * 18 + (3, 1)
    told = model.confidence(changed(found, right=right, wrong=wrong))
    assert told.startswith("90.0 % of the right answers are more than 95 % confident, and so are 1 of the 4 wrong ones")
    assert "catch 3 mistakes (75 %) and put 10 right answers in doubt (10.0 %)" in told
    assert "No answer is wrong" in model.confidence(changed(found, wrong=(0,) * 20))


def test_drawings(found):
    assert "Nobody draws" in model.drawings(found)
    size = (Group(0.15, 0.3, 500, 0.9), Group(0.3, 0.5, 500, 0.99))
    told = model.drawings(
        changed(found, drawings={"size": size, "turn": (Group(-5, 0, 900, 0.95), Group(0, 5, 100, 0.96))})
    )
    assert "1,000 generated drawings" in told
    assert "90.0 % at 15 to 30 % of the pad to 99.0 % at 30 to 50 % of the pad, more than chance" in told
    assert "95.0 % at -5 to 0 degrees to 96.0 % at 0 to 5 degrees, no more than chance" in told


def test_curves(found):
    assert "best after epoch 8 of 8: 88.00 %" in model.curves(found)
    assert "no overfitting" in model.curves(found)
    assert "+2.00 points" in model.curves(found)
    learnt = changed(found, curves=(Epoch(1, 0.5, 0.8, 0.4, 0.9), Epoch(2, 0.1, 0.99, 0.6, 0.85)))
    assert "best after epoch 1 of 2: 90.00 %" in model.curves(learnt)
    assert "(0.100 against 0.600): the model has begun to overfit" in model.curves(learnt)
    assert "not recorded" in model.curves(changed(found, curves=()))


def test_map(found):
    assert "No two classes touch" in model.embedding(found)
    places = [(0.0, 0), (0.1, 0), (9.0, 0), (9.1, 1), (5, 2), (5.1, 2)]
    points = tuple(Point(x, 0.0, true, true, 1.0) for x, true in places)
    told = model.embedding(changed(found, points=points))
    assert "On the map, 66.7 % of 6 test images" in told
    assert "None and one touch most often" in told


def test_worst(found):
    assert "none answered one with 97.0 %" in model.worst(found)
    assert "No list of label errors" in model.worst(found)
    noted = changed(found.worst[0], note="label error: people see one")
    told = model.worst(changed(found, worst=(noted, *found.worst[1:]), note_source="five people"))
    assert "Of the 3 shown, 1 have a disputed label" in told
    assert "five people" in told
    assert model.worst(changed(found, worst=())) == "There are no mistakes."
