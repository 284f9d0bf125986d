import pytest

from benchmarks.load import Outcome, read_csv, table

CSV = """Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,50%,95%,99%
POST,answer,200,3,12,14.5,99.5,12,30,41
POST,answer refused (429),7,0,2,2.0,3.5,2,3,4
,Aggregated,207,3,12,14.0,103.0,12,30,41
"""


def test_answers_are_counted_and_refusals_apart(tmp_path):
    (tmp_path / "run.csv").write_text(CSV)
    assert read_csv(tmp_path / "run.csv") == Outcome(200, 99.5, 14.5, 12, 30, 41, 3, 7)


def test_a_run_without_answers_is_no_outcome(tmp_path):
    (tmp_path / "run.csv").write_text("\n".join(line for line in CSV.splitlines() if "POST" not in line))
    (tmp_path / "run_failures.csv").write_text("status 503")
    with pytest.raises(RuntimeError, match="status 503"):
        read_csv(tmp_path / "run.csv")


def test_a_table_is_markdown():
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"
