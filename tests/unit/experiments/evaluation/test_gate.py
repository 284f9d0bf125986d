import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evaluation.gate import decide, selection_score

accuracies = st.floats(0, 1)


def measured(accuracy, drawn=0.9):
    return {"validation_accuracy": accuracy, "drawn_accuracy": drawn, "test_accuracy": 0.5}


@given(accuracies, accuracies, accuracies, accuracies)
def test_worse_in_nothing_passes(new, old, new_drawn, old_drawn):
    decision = decide(measured(new, new_drawn), measured(old, old_drawn))
    assert decision.promote == (new >= old and new_drawn >= old_drawn)


def test_better_on_mnist_and_worse_on_drawings_stays_out():
    assert not decide(measured(0.999, 0.9), measured(0.99, 0.95)).promote


@given(accuracies)
def test_anything_measured_beats_an_empty_production(new):
    assert decide(measured(new), None).promote


@pytest.mark.parametrize("metrics", [{}, {"test_accuracy": 1.0}, measured(float("nan")), measured(99.0)])
@pytest.mark.parametrize("champion", [None, {}, measured(0.1)])
def test_a_model_without_a_validation_accuracy_never_passes(metrics, champion):
    decision = decide(metrics, champion)
    assert not decision.promote
    assert "missing" in decision.reason


def test_a_challenger_must_be_measured_in_what_the_champion_was():
    assert not decide({"validation_accuracy": 1.0}, measured(0.1)).promote
    assert decide(measured(0.9), {"validation_accuracy": 0.8}).promote


def test_a_champion_without_figures_gives_way():
    assert decide(measured(0.2), {}).promote


def test_the_test_split_does_not_matter():
    better_on_test = measured(0.8) | {"test_accuracy": 1.0}
    assert not decide(better_on_test, measured(0.9)).promote


def test_the_reason_says_all_figures():
    assert decide(measured(0.9), measured(0.95)).reason == (
        "worse: 90.00 % on validation against 95.00 %, 90.00 % on generated drawings against 90.00 % "
        "of the Production model"
    )


def test_the_best_of_several_is_best_in_the_mean():
    assert selection_score(measured(0.99, 0.90)) < selection_score(measured(0.98, 0.95))
    assert selection_score({"validation_accuracy": 0.5}) == 0.5
