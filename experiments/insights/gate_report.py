"""What the promotion gate compared, as HTML: for the page, and as a file of the run in MLflow."""

import html
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.evaluation.gate import SELECTION_METRICS, Decision
from experiments.insights.html_tables import html_table

STYLE = "body{font:15px/1.5 sans-serif}table{border-collapse:collapse}th,td{padding:.3rem .8rem;text-align:left}"
DIFFERENCE_HEADERS = ("compared on", "n", "Production", "retrained", "difference (interval)", "")
METRIC_HEADERS = ("compared", "Production", "this run", "difference", "")


def gate_report(decision: Decision, table: str) -> str:
    """A page of its own: what the gate decided and why, above the table of what it compared."""
    verdict = "let through" if decision.promote else "not let through"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Promotion gate</title><style>{STYLE}</style>'
        f"<h2>Promotion gate: {verdict}</h2><p>{html.escape(decision.reason)}</p>{table}</html>"
    )


def differences_table(differences: Iterable[Mapping[str, Any]]) -> str:
    """A retraining's comparison, in percent; a certain difference is marked. differences: fields of Difference."""
    return html_table(DIFFERENCE_HEADERS, [_difference_cells(row) for row in differences])


def metrics_table(challenger: Mapping[str, float], champion: Mapping[str, float] | None) -> str:
    """A run's selection metrics beside those of the Production model, in percent. Both are metrics by name."""
    champion = champion or {}
    return html_table(
        METRIC_HEADERS,
        [
            (where, *_metric_cells(champion.get(name), challenger.get(name)))
            for name, where in SELECTION_METRICS.items()
            if name in challenger or name in champion
        ],
    )


def _difference_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = row["low"], row["high"]
    certain = "better" if low > 0 else "worse" if high < 0 else ""
    difference = f"{100 * (row['challenger'] - row['champion']):+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
    accuracies = (f"{100 * row[name]:.2f} %" for name in ("champion", "challenger"))
    return (row["group"], str(row["count"]), *accuracies, difference, certain)


def _metric_cells(old: float | None, new: float | None) -> tuple[str, ...]:
    both = tuple("–" if value is None else f"{100 * value:.2f} %" for value in (old, new))
    if old is None or new is None:
        return (*both, "–", "")
    return (*both, f"{100 * (new - old):+.2f}", "worse" if new < old else "")
