"""Answers to written numbers, counted by condition."""

from math import isnan

import numpy as np
import pytest

from experiments.data.archive import DatasetError
from experiments.evaluation.drawings import generate
from experiments.evaluation.strings import conditions, reading
from experiments.evaluation.strings.compose import write_string
from experiments.evaluation.strings.reading import Outcome, Reading, Source
from experiments.inference.predictions import Prediction

GENERATED = Source(strokes=None, writers="all", letters=None, seed=0)
OUTCOMES = [
    Outcome(0, "42", "42", "42", 0.99, "sure"),
    Outcome(1, "42", "42", "41", 0.98, "sure"),
    Outcome(2, "42", "47", "47", 0.99, "unsure"),
    Outcome(3, "42", "42", "", 0.0, "rejected"),
]


def test_shares_are_of_sheets_and_the_ceiling_is_that_of_single_digits() -> None:
    shares = Reading(None, OUTCOMES).shares()
    assert shares == {"single": 0.75, "right": 0.25, "sure": 0.5, "right of sure": 0.5, "rejected": 0.25}
    assert isnan(Reading(None, OUTCOMES[2:]).shares()["right of sure"])


def test_the_worst_mistakes_are_sure_ones_then_confident_ones() -> None:
    assert [outcome.number for outcome in Reading(None, OUTCOMES).worst(2)] == [1, 2]


def test_the_calibration_error_is_of_what_was_answered() -> None:
    right = [Outcome(at, "7", "7", "7", 1.0, "sure") for at in range(4)]
    assert Reading(None, [*right, OUTCOMES[3]]).calibration_error() == 0
    assert Reading(None, [OUTCOMES[3]]).calibration_error() == 0
    assert Reading(None, OUTCOMES).calibration_error() == pytest.approx((0.99 + 0.98 + 0.99) / 3 - 1 / 3)


def test_all_together_are_the_outcomes_of_each() -> None:
    assert len(Reading.of_all([Reading(None, OUTCOMES), Reading(None, OUTCOMES)]).outcomes) == 8


class Sevens:
    """Takes everything for a doubtful 7."""

    def __call__(self, images):
        probabilities = np.full(10, 0.02, np.float32)
        probabilities[7] = 0.8
        return [Prediction("7", 0.8, probabilities, "unsure", ("7", "1"), "1", image) for image in images]


def test_single_digits_are_read_on_sheets_of_their_own() -> None:
    digits = generate(20, seed=0)
    sheet = write_string(digits, [7, 17, 3], "spaced", np.random.default_rng(0))
    outcome = reading.outcome_of(5, sheet, False, Sevens())
    assert (outcome.number, outcome.text, outcome.single) == (5, "773", "777")
    assert outcome.verdict in ("unsure", "rejected")


def test_a_word_is_right_where_it_is_rejected() -> None:
    word = reading.written(GENERATED, "word of letters", 0)
    outcome = reading.outcome_of(0, word, True, Sevens())
    assert outcome.text == ""
    assert outcome.is_right == (outcome.label == "")


def test_every_sheet_is_the_same_again() -> None:
    first, again, other = (reading.written(GENERATED, "3 digits, close", number) for number in (5, 5, 6))
    assert first.text == again.text
    assert np.array_equal(first.sheet, again.sheet)
    assert first.sheet.shape != other.sheet.shape or not np.array_equal(first.sheet, other.sheet)


def test_a_missing_file_of_strokes_is_told(tmp_path) -> None:
    with pytest.raises(DatasetError, match="is not a stroke file"):
        Source(tmp_path / "none.npz", "all", None, 0).digits()


def test_conditions_are_chosen_by_a_part_of_their_name() -> None:
    assert conditions.choose("") == list(conditions.CONDITIONS)
    assert conditions.choose("page") == ["page of 25 digits", "page, slanted by up to 6°", "page, ruled"]
    with pytest.raises(DatasetError, match="The table has: 1 digit; "):
        conditions.choose("papyrus")
