import csv
import io
from dataclasses import replace

import pytest

from experiments.inference.predictions import blank
from serving.core.errors import Refused
from serving.prediction.batch_summary import COLUMNS, BatchSummary
from serving.prediction.predict import FileResult


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
