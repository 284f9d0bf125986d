import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.inference.predictions import Digit, blank
from serving.core.errors import Refused
from serving.prediction.batch_summary import COLUMNS, BatchSummary
from serving.prediction.predict import FileResult
from tests.helpers.numbers import number


def result(name, label, verdict="sure"):
    empty = blank(tuple("0123456789"), "3")
    candidates = (label, "7") if verdict == "unsure" else ()
    return FileResult(name, replace(empty, label=label, confidence=0.9, verdict=verdict, candidates=candidates))


@pytest.fixture
def summary():
    results = [
        result("7/a.png", "7"),
        result("7/b.png", "1", "unsure"),
        result("3/c.png", "", "rejected"),
        result("d.png", "3"),
        FileResult("7/=e.png", error=Refused(400, "bad_entry", "It is encrypted.", "Make it anew.")),
    ]
    return BatchSummary(results, ["7", "7", "3", "", "7"], tuple("0123456789"))


def test_a_row_for_each_file(summary):
    assert summary.rows() == [
        ["7/a.png", "7", "0.9000", "sure", "7", "yes", ""],
        ["7/b.png", "1", "0.9000", "unsure", "7", "no", "1 or 7"],
        ["3/c.png", "", "0.9000", "rejected", "3", "no", ""],
        ["d.png", "3", "0.9000", "sure", "", "", ""],
        ["7/=e.png", "", "", "", "7", "", "It is encrypted. Make it anew."],
    ]


def test_the_csv_holds_the_table_and_no_formula():
    names = ["a, b.png", "=1+1.png", "\n=2.png", "\u0667.png"]
    summary = BatchSummary([result(name, "7") for name in names], [""] * 4, tuple("0123456789"))
    rows = list(csv.reader(io.StringIO(summary.csv().decode("utf-8-sig"))))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["a, b.png", "'=1+1.png", "' =2.png", "\u0667.png"]


def test_the_share_that_is_right_is_of_those_with_a_label(summary):
    sentences = summary.sentences(1.234)
    assert "4 pictures read in 1.2 s" in sentences
    assert "1 file could not be used" in sentences
    assert "33.33 % of the 3 with a label" in sentences


def test_without_labels_nothing_is_called_right():
    summary = BatchSummary([result("a.png", "7")], [""], tuple("0123456789"))
    assert summary.sentences(0.1) == "1 picture read in 0.1 s."
    assert summary.confusion() == []


def test_answers_are_counted_by_verdict(summary):
    assert summary.answers() == [("1", "unsure", 1), ("3", "sure", 1), ("7", "sure", 1), ("none", "rejected", 1)]


def test_confusion_has_a_row_for_each_label_and_a_column_for_none(summary):
    assert summary.confusion() == [
        ["3", *[""] * 10, "1"],
        ["7", "", "1", *[""] * 5, "1", *[""] * 3],
    ]


@pytest.fixture
def numbers():
    doubtful = number("42", "unsure", 0.6)
    digit = doubtful.digits[1]
    digit = Digit(digit.box, replace(digit.answer, verdict="unsure", candidates=("2", "7")))
    answers = [number("42\n17"), number("19?4", "unsure", 0.5), replace(doubtful, digits=(doubtful.digits[0], digit))]
    results = [FileResult(f"{place}.png", answer) for place, answer in enumerate(answers)]
    results += [result("3.png", "7"), FileResult("4.png", number("42", "rejected"))]
    return BatchSummary(results, ["42\n17", "1984", "427", "7", "1"], tuple("0123456789"))


def test_a_number_is_told_in_one_line_with_its_doubtful_digits(numbers):
    assert numbers.rows() == [
        ["0.png", "42 17", "0.9000", "sure", "42 17", "yes", ""],
        ["1.png", "19?4", "0.5000", "unsure", "1984", "no", ""],
        ["2.png", "42", "0.6000", "unsure", "427", "no", "digit 2: 2 or 7"],
        ["3.png", "7", "0.9000", "sure", "7", "yes", ""],
        ["4.png", "", "0.0000", "rejected", "1", "no", ""],
    ]
    assert "0.png,42 17,0.9000,sure,42 17,yes," in numbers.csv().decode("utf-8-sig")


def test_whole_numbers_and_their_digits_are_judged_apart(numbers):
    sentences = numbers.sentences(1.0)
    assert "40.00 % of the 5 with a label are right" in sentences
    assert "33.33 % of the 3 whole numbers, and 76.92 % of all 13 digits." in sentences  # 4, 3, 2, 1 and 0 are right


def test_the_chart_counts_the_digits_of_a_number_and_the_confusion_leaves_numbers_out(numbers):
    assert ("4", "sure", 3) in numbers.answers()
    assert ("2", "unsure", 1) in numbers.answers()
    assert ("none", "rejected", 2) in numbers.answers()
    assert numbers.confusion() == [
        ["1", *[""] * 10, "1"],
        ["7", *[""] * 7, "1", *[""] * 3],
    ]


@given(st.text("0123", min_size=1, max_size=9), st.text("0123?", max_size=9))
def test_no_more_digits_are_right_than_there_are(label, answer):
    results = [FileResult("a.png", number(answer) if len(answer) > 1 else result("a", answer).prediction)]
    sentences = BatchSummary(results, [label], tuple("0123456789")).sentences(1.0)
    shares = [float(word) for word in re.findall(r"([\d.]+) %", sentences)]
    assert all(0 <= share <= 100 for share in shares)
    assert len(shares) == (1 if len(label) == 1 else 3)
    if len(label) > 1:
        assert (shares[-1] == 100) == (label == answer)
