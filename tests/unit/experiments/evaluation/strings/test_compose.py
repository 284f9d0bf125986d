"""Written numbers: their text, their gaps, their rows, and the same for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.evaluation.drawings import CLEAR, Drawings, generate
from experiments.evaluation.strings import other_ink
from experiments.evaluation.strings.compose import (
    GAPS,
    OTHER,
    Layout,
    of_one_writer,
    write_page,
    write_rows,
    write_string,
    written,
)
from experiments.evaluation.strings.conditions import CONDITIONS

DIGITS = generate(40, seed=1)
LETTERS = other_ink.generate_letters(40, seed=1)
BAR = [np.array([[0.0, 0.0], [0.0, 1.0]])]
SEEDS = st.integers(0, 2**32 - 1)
for_each_condition = pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)


def rng(seed=0):
    return np.random.default_rng(seed)


@given(st.lists(st.integers(0, 39), min_size=1, max_size=10), st.sampled_from(sorted(GAPS)), SEEDS)
def test_the_text_is_that_of_the_digits_and_each_is_alone_on_a_sheet_too(indices, spacing, seed) -> None:
    sheet = write_string(DIGITS, indices, spacing, rng(seed))
    assert sheet.text == "".join(str(DIGITS.labels[index]) for index in indices)
    assert len(sheet.alone) == len(indices)
    assert all((picture == 0).any() for picture in (sheet.sheet, *sheet.alone))
    assert sheet.sheet.dtype == np.uint8


@given(st.sampled_from(sorted(GAPS)), st.integers(2, 6), SEEDS)
def test_gaps_are_those_of_the_spacing(spacing, length, seed) -> None:
    bars = [written(BAR, rng(seed + at), "1") for at in range(length)]
    sheet = write_rows([bars], Layout(spacing, height=100.0, brush=20.0), rng(seed)).sheet
    inked = np.flatnonzero(np.diff((sheet < 128).any(0).astype(int)))
    gaps = np.diff(inked)[1::2]
    low, high = GAPS[spacing]
    assert all(100 * low - 3 <= gap <= 100 * high + 3 for gap in gaps)
    assert len(gaps) == length - 1 or low <= 0


@given(SEEDS)
def test_ink_keeps_off_the_border(seed) -> None:
    sheet = write_string(DIGITS, [1, 2, 3], "touching", rng(seed)).sheet
    border = np.concatenate([sheet[:8].ravel(), sheet[-8:].ravel(), sheet[:, :8].ravel(), sheet[:, -8:].ravel()])
    assert (border == 255).all()


def test_other_ink_stands_between_two_digits_and_is_not_read_alone() -> None:
    for seed in range(20):
        sheet = write_string(DIGITS, [3, 1, 4], "close", rng(seed), other_ink.point(LETTERS, rng(seed)))
        assert sheet.text in ("3?14", "31?4")
        assert len(sheet.alone) == 3


def test_rows_of_a_page_are_lines_of_the_text() -> None:
    page = write_page(DIGITS, [[1, 2], [3], [4, 5]], rng())
    assert page.text == "12\n3\n45"
    assert len(page.alone) == 5


def test_a_ruled_page_has_a_line_from_border_to_border_under_each_row() -> None:
    plain, ruled = (write_page(DIGITS, [[1, 2]] * 4, rng(3), slant=0, ruled=ruled).sheet for ruled in (False, True))
    assert (plain < 255).all(1).sum() == 0
    across = (ruled < 255).all(1)
    assert np.diff(across.astype(int)).clip(0).sum() == 4


def test_digits_of_a_number_are_one_writers() -> None:
    digits = Drawings([BAR] * 6, np.arange(6), np.array([0, 0, 0, 1, 1, 1]))
    for seed in range(10):
        chosen = of_one_writer(digits, 3, rng(seed))
        assert len({digits.writers[index] for index in chosen}) == 1
        assert len(set(chosen)) == 3
        assert len(of_one_writer(digits, 5, rng(seed))) == 5


def test_points_and_commas_are_low_and_letters_high() -> None:
    for seed in range(20):
        heights = {
            kind: np.ptp(np.concatenate(kind(LETTERS, rng(seed)).strokes)[:, 1])
            for kind in (other_ink.point, other_ink.comma, other_ink.minus, other_ink.letter)
        }
        assert heights[other_ink.point] < heights[other_ink.comma] < 0.45
        assert heights[other_ink.minus] < 0.1
        assert heights[other_ink.letter] > 0.5


def test_only_clear_letters_are_chosen() -> None:
    assert set(LETTERS.labels.tolist()) <= set(CLEAR)
    mixed = Drawings([BAR] * 3, np.array(["O", "A", "l"]), np.zeros(3, int))
    assert other_ink.clear(mixed).labels.tolist() == ["A"]


@for_each_condition
def test_the_same_seed_writes_the_same_sheet_and_another_another(condition) -> None:
    first, again, other = (condition.write(DIGITS, LETTERS, rng(seed)) for seed in (1, 1, 2))
    assert first.text == again.text
    assert np.array_equal(first.sheet, again.sheet)
    assert not np.array_equal(first.sheet, other.sheet)


@for_each_condition
def test_a_sheet_is_as_its_condition_says(condition) -> None:
    sheet = condition.write(DIGITS, LETTERS, rng(5))
    digits = sum(character.isdigit() for character in sheet.text)
    assert len(sheet.alone) == digits
    assert (OTHER in sheet.text) == condition.has_other_ink
    assert not condition.length or digits == condition.length
    assert sheet.text.count("\n") == (4 if condition.is_page else 0)
