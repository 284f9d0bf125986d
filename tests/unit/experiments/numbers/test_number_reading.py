"""The answer to a number: its text and its verdict, from answers made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.inference.predictions import Prediction
from experiments.numbers.candidates import Candidate, Row
from experiments.numbers.reading import read_number, refined

NAMES = tuple("0123456789")
IMAGE = np.zeros((28, 28, 1), np.uint8)


def row_of(count):
    return Row(count, [Candidate(at, at, (at * 30, 0, at * 30 + 20, 40), IMAGE, True, 1.0) for at in range(count)])


def digit(label, probability=0.999, verdict="sure"):
    probabilities = np.zeros(10, np.float32)
    probabilities[int(label)] = probability
    return Prediction(label, probability, probabilities, verdict, (), "7", IMAGE)


def reject(probability=0.0):
    """Rejected, with the likeliest digit of this probability a 5."""
    return replace(digit("5", probability, "rejected"), label="", confidence=0.0)


def read(*rows):
    answers = [answer for row in rows for answer in row]
    return read_number([row_of(len(row)) for row in rows], answers, NAMES)


def test_a_number_has_its_text_its_digits_and_its_confidence() -> None:
    number = read([digit("4"), digit("2")])
    assert (number.label, number.verdict, number.model_version, number.candidates) == ("42", "sure", "7", ())
    assert number.confidence == pytest.approx(0.999**2, abs=0.01)
    assert not number.probabilities.any()
    assert number.image.shape == (56, 28, 1)
    assert [each.answer.label for each in number.digits] == ["4", "2"]
    assert [each.box for each in number.digits] == [(0, 0, 20, 40), (30, 0, 50, 40)]


def test_rows_are_lines() -> None:
    number = read([digit("1"), digit("2")], [digit("3")], [digit("4"), digit("5")])
    assert number.label == "12\n3\n45"
    assert len(number.digits) == 5


def test_one_digit_or_none_is_no_number() -> None:
    assert read([digit("4")]) is None
    assert read() is None


def test_a_doubtful_digit_makes_the_number_unsure() -> None:
    doubtful = replace(digit("2", 0.99, "unsure"), candidates=("2", "7"))
    number = read([digit("4"), doubtful])
    assert (number.label, number.verdict) == ("42", "unsure")
    assert number.digits[1].answer.candidates == ("2", "7")


def test_other_ink_is_a_question_mark_and_makes_the_number_unsure() -> None:
    number = read([digit("3"), reject(), digit("1"), digit("4")])
    assert (number.label, number.verdict) == ("3?14", "unsure")
    other = number.digits[1].answer
    assert (other.label, other.verdict, other.confidence) == ("", "rejected", 0.0)


def test_much_other_ink_is_rejected() -> None:
    number = read([digit("3"), reject(), reject(), digit("4")])
    assert (number.label, number.verdict, number.confidence) == ("", "rejected", 0.0)
    assert len(number.digits) == 4


def test_doubt_about_all_digits_is_rejected() -> None:
    assert read([digit("3", 0.5, "unsure")] * 6).verdict == "rejected"


def test_a_digit_that_alone_would_be_rejected_has_a_label_on_the_path_and_two_candidates() -> None:
    number = read([digit("3"), reject(0.6), digit("4")])
    assert number.label == "354"
    assert number.digits[1].answer.verdict == "unsure"
    assert number.digits[1].answer.candidates[0] == "5"


def test_of_two_splits_the_more_confident_stands() -> None:
    certain, doubtful = read([digit("4"), digit("2")]), read([digit("4"), digit("2", 0.7, "unsure")])
    assert refined(certain, doubtful) is certain
    assert refined(doubtful, certain) is certain
    assert refined(None, certain) is refined(certain, None) is certain
    rejected = read([digit("3", 0.5, "unsure")] * 6)
    assert refined(doubtful, rejected) is doubtful


def test_a_number_is_not_sure_where_a_split_before_has_found_other_ink() -> None:
    found = refined(read([digit("4"), reject(), digit("2"), digit("7")]), read([digit("4"), digit("1"), digit("2")]))
    assert (found.label, found.verdict) == ("412", "unsure")


def read_cut(*answers, width=20):
    """Read one mark that was cut into these."""
    parts = [Candidate(at, at, (at * width, 0, (at + 1) * width, 40), IMAGE, False, 1.0) for at in range(len(answers))]
    return read_number([Row(len(answers), parts)], answers, NAMES)


def test_a_narrow_mark_with_a_stroke_cut_off_is_rather_a_letter_than_a_number() -> None:
    assert read_cut(digit("4", 0.97), digit("1", 0.97), width=16).verdict == "rejected"
    assert read_cut(digit("4"), digit("6"), width=30).label == "46"
    assert read_cut(digit("4"), digit("1"), digit("6"), digit("8"), width=30).label == "4168"
