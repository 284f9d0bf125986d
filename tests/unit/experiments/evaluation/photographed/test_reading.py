"""Answers to photographed digits, counted by condition."""

import numpy as np
import pytest

from experiments.data.archive import DatasetError
from experiments.evaluation import drawings as drawn
from experiments.evaluation.photographed import conditions, reading
from experiments.inference.predictions import Prediction
from experiments.insights import photographed_report

DIGITS = drawn.generate(4, seed=0)


def predicted(label, confidence=0.9, verdict="sure"):
    return Prediction(label, confidence, np.zeros(10, np.float32), verdict, (), "1", None)


def reading_of(condition, *predictions):
    return reading.Reading(condition, np.arange(4), predictions)


PHOTO = reading_of(
    conditions.CONDITIONS["pencil"],
    predicted("0", 0.6, "unsure"),
    predicted("7"),
    predicted("", 0.0, "rejected"),
    predicted("", 0.0, "blank"),
)
PAD = reading_of(None, *[predicted(str(digit)) for digit in range(4)])


def test_right_answers_may_be_unsure_and_surely_wrong_ones_are_sure_of_another_digit() -> None:
    quarters = dict.fromkeys(("right", "surely wrong", "unsure", "rejected", "blank"), 0.25)
    assert PHOTO.shares() == quarters
    assert reading.Reading.of_all([PHOTO, PAD]).shares() == dict.fromkeys(quarters, 0.125) | {"right": 0.625}
    assert PHOTO.worst(2)[0] == 1


def test_the_table_states_ink_and_height_and_compares_with_the_pad() -> None:
    heads, _, photo, together, pad = photographed_report.table([PAD, PHOTO]).splitlines()
    assert heads.startswith("| condition | ink, levels | digit, px | n | right % | surely wrong % |")
    assert photo == "| pencil | 85 | 220 | 4 | 25.0 | 25.0 | 25.0 | 25.0 | 25.0 |"
    assert together.startswith("| over all conditions |  |  | 4 | 25.0 |")
    assert pad.startswith("| the same digits on the page's pad |  |  | 4 | 100.0 | 0.0 |")


def test_the_worst_mistakes_are_saved_as_sent_instead_of_former_ones(tmp_path) -> None:
    photographed_report.save_mistakes([PAD, PHOTO], DIGITS, 0, tmp_path)
    photographed_report.save_mistakes([PAD, PHOTO], DIGITS, 0, tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["pencil - 1 - 1 as 7.jpg", "pencil - 2 - 2 as rejected.jpg", "pencil - 3 - 3 as blank.jpg"]
    assert (tmp_path / names[0]).read_bytes() == reading.picture(DIGITS.strokes[1], "pencil", 0, 1)


def test_every_digit_has_its_own_paper_and_the_same_one_again() -> None:
    first, again, other = (reading.picture(DIGITS.strokes[0], "plain photo", 0, number) for number in (5, 5, 6))
    assert first == again != other
    assert reading.picture(DIGITS.strokes[0], None, 0, 5).startswith(b"\x89PNG")


def test_conditions_are_chosen_by_a_part_of_their_name() -> None:
    assert conditions.choose("") == list(conditions.CONDITIONS)
    assert conditions.choose("faint") == [
        "faint, 60 levels",
        "faint, 30 levels",
        "faint and small",
        "light on dark, faint",
    ]
    with pytest.raises(DatasetError, match="The table has: plain photo; "):
        conditions.choose("papyrus")
