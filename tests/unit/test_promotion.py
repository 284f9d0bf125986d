import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.promotion import decide

accuracies = st.floats(0, 1)


def measured(accuracy):
    return {"validation_accuracy": accuracy, "test_accuracy": 0.5}


@given(accuracies, accuracies)
def test_not_worse_on_validation_passes(new, old):
    assert decide(measured(new), measured(old)).promote == (new >= old)


@given(accuracies)
def test_anything_measured_beats_an_empty_production(new):
    assert decide(measured(new), None).promote


@pytest.mark.parametrize("metrics", [{}, {"test_accuracy": 1.0}, measured(float("nan")), measured(99.0)])
@pytest.mark.parametrize("champion", [None, {}, measured(0.1)])
def test_a_model_without_a_validation_accuracy_never_passes(metrics, champion):
    decision = decide(metrics, champion)
    assert not decision.promote
    assert "missing" in decision.reason


def test_a_champion_without_one_gives_way():
    assert decide(measured(0.2), {}).promote


def test_the_test_split_does_not_matter():
    better_on_test = measured(0.8) | {"test_accuracy": 1.0}
    assert not decide(better_on_test, measured(0.9)).promote


def test_the_reason_says_both_figures():
    assert decide(measured(0.9), measured(0.95)).reason == (
        "worse: 90.00 % on validation against 95.00 % of the Production model"
    )
