import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evaluation.comparison import CORRECTIONS, DRAWINGS, VALIDATION, Answers, compare, difference
from experiments.evaluation.gate import decide_retraining

NAMES = ("a", "b", "c")


def right(count, wrong):
    return np.arange(count) >= wrong


def answered(group, wrong_before, wrong_after, count=600):
    labels = np.arange(count) % 3
    champion, challenger = (np.where(right(count, wrong), labels, -1) for wrong in (wrong_before, wrong_after))
    return Answers(group, labels, champion, challenger)


def judged(*groups):
    return decide_retraining(compare(list(groups), NAMES))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_the_interval_holds_the_difference_and_turns_with_the_models(pairs):
    champion, challenger = np.array(pairs).T
    one, other = difference("g", champion, challenger, 0.95), difference("g", challenger, champion, 0.95)
    assert one.low - 1e-9 <= one.challenger - one.champion <= one.high + 1e-9
    assert one.challenger - one.champion == pytest.approx(other.champion - other.challenger)
    assert -1 <= one.low <= one.high <= 1


def test_the_interval_is_as_wide_as_the_binomial_says():
    champion, challenger = right(1000, 100), np.roll(right(1000, 100), 100)  # 100 gained, 100 lost
    row = difference("g", champion, challenger, 0.95)
    assert (row.low, row.high) == pytest.approx((-1.96 * 200**0.5 / 1000, 1.96 * 200**0.5 / 1000), abs=0.002)


def test_models_that_answer_alike_differ_by_nothing():
    row = difference("g", right(50, 5), right(50, 5), 0.95)
    assert (row.low, row.high) == (0, 0)


def test_a_row_a_group_and_a_class_and_corrections_count_for_no_class():
    rows = compare([answered(VALIDATION, 0, 0), answered(DRAWINGS, 0, 0), answered(CORRECTIONS, 6, 0, 12)], NAMES)
    assert [(row.group, row.count) for row in rows] == [
        (VALIDATION, 600), (DRAWINGS, 600), (CORRECTIONS, 12), ("class a", 400), ("class b", 400), ("class c", 400)
    ]  # fmt: skip


def test_better_on_corrections_and_worse_nowhere_passes():
    decision = judged(answered(VALIDATION, 3, 4), answered(CORRECTIONS, 5, 0, 5))
    assert decision.promote
    assert decision.reason == "better: 100.00 % against 0.00 % on corrections held out (n = 5); worse nowhere"


def test_better_on_corrections_and_worse_on_validation_stays_out():
    decision = judged(answered(VALIDATION, 3, 20), answered(CORRECTIONS, 5, 0, 5))
    assert not decision.promote
    assert decision.reason.startswith("worse: 96.67 % against 99.50 % on validation")


def test_worse_in_one_class_alone_stays_out():
    labels = np.arange(3000) % 3
    lost = (labels == 1) & (np.arange(3000) < 40)
    gained = (labels == 0) & (np.arange(3000) < 45)
    swapped = Answers(VALIDATION, labels, np.where(gained, -1, labels), np.where(lost, -1, labels))
    decision = judged(swapped, answered(CORRECTIONS, 5, 0, 5))
    assert not decision.promote
    assert "class b" in decision.reason
    assert "validation" not in decision.reason


@pytest.mark.parametrize("corrections", [(5, 5, 5), (5, 4, 5), (0, 0, 5), (0, 3, 5)])
def test_not_better_on_corrections_for_certain_stays_out(corrections):
    decision = judged(answered(VALIDATION, 3, 0), answered(CORRECTIONS, *corrections))
    assert not decision.promote
    assert "corrections held out" in decision.reason


def test_without_corrections_nothing_passes():
    assert not judged(answered(VALIDATION, 30, 0)).promote


@pytest.mark.parametrize(
    ("gained", "lost", "of", "confidence", "side"),
    [(5, 0, 5, 0.95, 1), (4, 0, 4, 0.95, 0), (0, 6, 722, 0.995, 0), (0, 8, 722, 0.995, -1), (1, 8, 722, 0.995, 0)],
)
def test_of_few_changed_images_only_so_many_alike_are_certain(gained, lost, of, confidence, side):
    champion, challenger = np.ones(of, bool), np.ones(of, bool)
    champion[:gained] = challenger[gained : gained + lost] = False
    row = difference("corrections", champion, challenger, confidence)
    assert int(row.low > 0) - int(row.high < 0) == side
