import dataclasses

from experiments.insights import headlines
from tests.helpers.figures import CURVES, REFUSAL, figures


def test_each_title_says_what_the_figures_do():
    insights = dataclasses.replace(figures()[0], refusal=REFUSAL, curves=CURVES)
    assert headlines.confusion(insights) == "None taken for one is the commonest mistake"
    assert headlines.refusal(insights) == "90 % of non-digits are rejected, and 2.0 % of digits"
    assert headlines.curves(insights) == "Validation was best after epoch 8 of 8"
    assert (
        headlines.reliability(dataclasses.replace(insights, calibration_error=0.01))
        == "A confidence means what it says"
    )
    assert "not quite" in headlines.reliability(dataclasses.replace(insights, calibration_error=0.05))
    rare = dataclasses.replace(insights, counts=insights.counts | {"train": (100, 20, 100)})
    assert headlines.distribution(rare) == "One is the rarest class"
    assert "about as frequent" in headlines.distribution(dataclasses.replace(rare, counts={"train": (9, 10, 11)}))


def test_what_was_not_measured_has_a_plain_title():
    insights = dataclasses.replace(figures()[0], refusal=None, curves=(), drawings={})
    titles = [headlines.refusal(insights), headlines.curves(insights), headlines.drawings(insights)]
    assert titles == ["What is rejected", "Training", "Drawings"]
