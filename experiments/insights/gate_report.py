"""What the promotion gate compared, as HTML: for the page, and as a file of the run in MLflow."""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.evaluation.gate import SELECTION_METRICS, Decision
from experiments.insights.html_tables import Html, html_table

STYLE = "body{font:15px/1.5 sans-serif}table{border-collapse:collapse}th,td{padding:.3rem .8rem;text-align:left}"
DIFFERENCE_HEADERS = ("compared on", "n", "Production", "retrained", "difference (interval)", "", "")
COLOURS = {"better": "#059669", "worse": "#ef4444", "": "#64748b"}  # 3 to 1 on a light page and on a dark one
HALF_WIDTH, HEIGHT = 80, 16  # px of an interval's bar
METRIC_HEADERS = ("compared", "Production", "this run", "difference", "")


def gate_report(decision: Decision, table: str) -> str:
    """A page of its own: what the gate decided and why, above the table of what it compared."""
    verdict = "let through" if decision.promote else "not let through"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Promotion gate</title><style>{STYLE}</style>'
        f"<h2>Promotion gate: {verdict}</h2><p>{html.escape(decision.reason)}</p>{table}</html>"
    )


def differences_table(differences: Iterable[Mapping[str, Any]]) -> str:
    """A retraining's comparison, in percent, with the intervals as bars; a certain difference is marked. differences:
    fields of Difference."""
    rows = list(differences)
    widest = max((abs(row[end]) for row in rows for end in ("low", "high")), default=0) or 1
    return html_table(DIFFERENCE_HEADERS, [_difference_cells(row, widest) for row in rows])


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


def _difference_cells(row: Mapping[str, Any], widest: float) -> tuple[str, ...]:
    low, high = row["low"], row["high"]
    certain = "better" if low > 0 else "worse" if high < 0 else ""
    middle = row["challenger"] - row["champion"]
    difference = f"{100 * middle:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
    accuracies = (f"{100 * row[name]:.2f} %" for name in ("champion", "challenger"))
    bar = _bar(_place(low / widest), _place(middle / widest), _place(high / widest), COLOURS[certain])
    return (row["group"], f"{row['count']:,}", *accuracies, difference, bar, certain)


def _place(share: float) -> float:
    """Where a difference stands, in px from no difference. By its square root: one of ten points and one of a tenth
    can both be seen."""
    return HALF_WIDTH * math.copysign(math.sqrt(min(abs(share), 1)), share)


def _bar(low: float, middle: float, high: float, colour: str) -> Html:
    """An interval around a difference, and the line of no difference, as SVG; the cell before it says the same."""
    width = 2 * HALF_WIDTH + 8  # with room for a dot at either end
    return Html(
        f'<svg width="{width}" height="{HEIGHT}" viewBox="{-width / 2:g} 0 {width} {HEIGHT}" '
        f'aria-hidden="true"><line x1="0" x2="0" y1="0" y2="{HEIGHT}" stroke="currentColor" stroke-opacity="0.4"/>'
        f'<rect x="{low:.1f}" y="5" width="{max(high - low, 1):.1f}" height="6" rx="2" fill="{colour}" opacity="0.5"/>'
        f'<circle cx="{middle:.1f}" cy="8" r="4" fill="{colour}"/></svg>'
    )


def _metric_cells(old: float | None, new: float | None) -> tuple[str, ...]:
    both = tuple("–" if value is None else f"{100 * value:.2f} %" for value in (old, new))
    if old is None or new is None:
        return (*both, "–", "")
    return (*both, f"{100 * (new - old):+.2f}", "worse" if new < old else "")
