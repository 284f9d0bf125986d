"""The tables of `python -m experiments drawn`, of the shipped model and few drawings."""

import io

import numpy as np
import pytest
from rich.console import Console

from experiments.evaluation import drawings, scribbles
from experiments.evaluation.drawings import Drawings
from experiments.inference import bundle as bundles
from experiments.insights.drawings_report import report, report_rejections
from settings import ROOT


@pytest.fixture(scope="module")
def bundle():
    return bundles.read(ROOT / "models" / "mnist")


def rows_of(text):
    """The cells of each row of a table, by the first."""
    rows = [[cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in text.splitlines()]
    return {row[0]: row[1:] for row in rows if len(row) > 2}


def test_rejections_are_shown_by_kind_and_threshold(bundle, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    usual = report(bundle, {"generated": drawings.generate(40, 1)}, 1, tmp_path, console)
    strokes = scribbles.draw(2, 0).strokes
    letters = Drawings(strokes, np.array(["E", "O"]), np.zeros(2, int))
    report_rejections(bundle, usual, letters, 16, 1, tmp_path, console)
    assert "generated: 1 answered 7 surely, and unsure: anywhere " in console.file.getvalue()
    rows = rows_of(console.file.getvalue())
    head = rows["what"]
    assert f"{bundle.thresholds.refuse:.3f} ★" in head
    assert head[-2:] == ["AUROC", "FPR % at 95 % TPR"]
    assert rows["generated digits"][0] == "40"
    assert rows["spiral"][0] == "2"
    assert float(rows["spiral"][-2]) > 0.9
    assert (rows["clear letters"][0], rows["all letters"][0]) == ("1", "2")
    assert (tmp_path / "rejections.png").stat().st_size > 5_000


def test_without_letters_there_are_no_rows_of_them(bundle, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    usual = report(bundle, {"generated": drawings.generate(20, 1)}, 1, tmp_path, console)
    report_rejections(bundle, usual, None, 8, 1, tmp_path, console)
    assert not any("letters" in name for name in rows_of(console.file.getvalue()))
