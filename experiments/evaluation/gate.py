"""The gate: which model may take Production."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.evaluation.comparison import CORRECTIONS, Difference

SELECTION_METRICS = {"validation_accuracy": "on validation", "drawn_accuracy": "on generated drawings"}
"""What models are chosen on, and how it is said. The test split and real people's strokes only report."""


@dataclass(frozen=True)
class Decision:
    """Whether a model takes Production, and why, as a sentence for the table and the registry."""

    promote: bool
    reason: str


def selection_score(metrics: Mapping[str, float]) -> float:
    """By what the best of several runs is found: the mean of what models are chosen on, of what there is of it."""
    values = [metrics[name] for name in SELECTION_METRICS if name in metrics]
    return sum(values) / max(len(values), 1)


def decide(challenger: Mapping[str, float], champion: Mapping[str, float] | None) -> Decision:
    """Let the challenger pass if it is worse than the Production model in nothing that models are chosen on.

    Both are metrics by name. What the champion was never measured in does not count; a challenger that was not
    measured in it loses.
    """
    champion = champion or {}
    compared, worse = [], False
    for name, where in SELECTION_METRICS.items():
        new, old = challenger.get(name, float("nan")), champion.get(name)
        if name in ("validation_accuracy", *champion) and not 0 <= new <= 1:
            return Decision(False, f"its {name} is missing")
        if old is not None:
            compared.append(f"{100 * new:.2f} % {where} against {100 * old:.2f} %")
            worse |= new < old
    if not compared:
        found = f"{100 * challenger['validation_accuracy']:.2f} % on validation"
        return Decision(True, f"{found}, and no Production model to compare with")
    sentence = f"{', '.join(compared)} of the Production model"
    return Decision(not worse, f"worse: {sentence}" if worse else sentence)


def decide_retraining(differences: Sequence[Difference]) -> Decision:
    """Let a retrained model pass if it is better on the corrections held out, and worse nowhere. Better and worse are
    certain only when the whole interval of the difference lies on that side of zero."""
    worse = [row for row in differences if row.high < 0]
    better = [row for row in differences if row.group == CORRECTIONS and row.low > 0]
    if worse:
        return Decision(False, f"worse: {_said(worse)}")
    if not better:
        held = [row for row in differences if row.group == CORRECTIONS]
        return Decision(False, f"not better for certain: {_said(held)}")
    return Decision(True, f"better: {_said(better)}; worse nowhere")


def _said(rows: Sequence[Difference]) -> str:
    """As a clause of the reason; the Production model's figure comes second."""
    return ", ".join(
        f"{100 * row.challenger:.2f} % against {100 * row.champion:.2f} % on {row.group} (n = {row.count})"
        for row in rows
    )
