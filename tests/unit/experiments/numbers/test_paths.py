"""The best path through the pieces of a row, with answers made by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import Candidate, Row
from experiments.numbers.paths import best_path

IMAGE = np.zeros((28, 28, 1), np.uint8)


def answer(digit, probability):
    """A digit of this probability; the rest is the reject class's."""
    probabilities = np.zeros(10, np.float32)
    probabilities[digit] = probability
    return Prediction(str(digit), probability, probabilities, "sure", (), "1", IMAGE)


def candidate(first, last, whole=True, height=1.0):
    return Candidate(first, last, (first * 10, 0, last * 10 + 10, 20), IMAGE, whole, height)


def steps(path):
    return [(step.candidate, step.is_digit) for step in path]


def test_two_digits_beside_each_other_are_two_steps() -> None:
    row = Row(2, [candidate(0, 0), candidate(0, 1), candidate(1, 1)])
    path = best_path(row, [answer(3, 0.99), answer(8, 0.01), answer(1, 0.99)])
    assert steps(path) == [(0, True), (2, True)]


def test_parts_of_one_digit_are_one_step_where_alone_they_are_none() -> None:
    row = Row(2, [candidate(0, 0), candidate(0, 1), candidate(1, 1)])
    path = best_path(row, [answer(3, 0.05), answer(5, 0.99), answer(1, 0.05)])
    assert steps(path) == [(1, True)]


def test_whole_marks_are_preferred_to_parts() -> None:
    row = Row(2, [candidate(0, 0, whole=False), candidate(0, 1), candidate(1, 1, whole=False)])
    path = best_path(row, [answer(1, 0.9), answer(4, 0.9), answer(1, 0.9)])
    assert steps(path) == [(1, True)]


def test_what_the_model_rejects_is_no_digit_however_high() -> None:
    row = Row(3, [candidate(0, 0), candidate(1, 1), candidate(2, 2, height=0.1)])
    path = best_path(row, [answer(3, 0.99), answer(1, 0.0), answer(1, 0.0)])
    assert steps(path) == [(0, True), (1, False), (2, False)]


def test_a_row_that_no_path_crosses_has_none() -> None:
    path = best_path(Row(3, [candidate(0, 0), candidate(2, 2)]), [answer(3, 0.9), answer(1, 0.9)])
    assert path == []


@st.composite
def answered_rows(draw):
    """A row in which each piece alone is a candidate, and some neighbours together, with the answers."""
    pieces = draw(st.integers(1, 6))
    spans = {(piece, piece) for piece in range(pieces)}
    together = draw(st.lists(st.tuples(st.integers(0, pieces - 1), st.integers(1, 5))))
    spans |= {(first, min(pieces - 1, first + more)) for first, more in together}
    candidates = [candidate(*span, draw(st.booleans()), draw(st.floats(0.05, 1.5))) for span in sorted(spans)]
    answers = [answer(draw(st.integers(0, 9)), draw(st.floats(0, 1, width=32))) for _ in candidates]
    return Row(pieces, candidates), answers


@given(answered_rows())
def test_a_path_takes_every_piece_once(answered) -> None:
    row, answers = answered
    path = best_path(row, answers)
    taken = [row.candidates[step.candidate] for step in path]
    pieces = [piece for each in taken for piece in range(each.first, each.last + 1)]
    assert pieces == list(range(row.pieces))
