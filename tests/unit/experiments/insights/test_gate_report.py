"""What the gate compared, as HTML."""

from experiments.evaluation.gate import Decision
from experiments.insights.gate_report import differences_table, gate_report, metrics_table


def test_a_difference_is_marked_where_it_is_certain():
    row = {"group": "class 7", "count": 520, "champion": 0.99, "challenger": 0.9, "low": -0.11, "high": -0.07}
    table = differences_table([row, row | {"low": -0.1, "high": 0.1}, row | {"low": 0.01, "high": 0.02}])
    assert "-9.00 (-11.00 to -7.00)" in table
    assert table.count(">worse<") == table.count(">better<") == 1
    assert '<rect x="-80.0" y="5" width="16.2"' in table, "the widest interval ends at the edge"
    assert '<rect x="-76.3" y="5" width="152.6"' in table, "an uncertain one lies on both sides of no difference"


def test_a_run_stands_beside_the_production_model():
    table = metrics_table({"validation_accuracy": 0.99, "drawn_accuracy": 0.97, "loss": 1}, {"drawn_accuracy": 0.98})
    assert "<td>on validation</td><td>–</td><td>99.00 %</td><td>–</td><td></td>" in table
    assert "<td>on generated drawings</td><td>98.00 %</td><td>97.00 %</td><td>-1.00</td><td>worse</td>" in table
    assert "loss" not in table
    assert "<td>–</td><td>99.00 %</td>" in metrics_table({"validation_accuracy": 0.99}, None)


def test_the_report_says_what_was_decided_and_why():
    refused = gate_report(Decision(False, "worse: <90 %"), "<table></table>")
    assert "Promotion gate: not let through</h2><p>worse: &lt;90 %</p><table></table>" in refused
    assert "Promotion gate: let through" in gate_report(Decision(True, "better"), "")
