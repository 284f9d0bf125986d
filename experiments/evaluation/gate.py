"""The promotion gate: decide which model may become the Production model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.evaluation.comparison import CORRECTIONS, Difference

SELECTION_METRICS = {"validation_accuracy": "on validation", "drawn_accuracy": "on generated drawings"}
"""The metrics models are selected on, and their wording. The test split and people's own strokes are only reported."""


@dataclass(frozen=True)
class Decision:
    """Whether to promote a model, and why, as a clause for the run table and the registry."""

    promote: bool
    reason: str


def selection_score(metrics: Mapping[str, float]) -> float:
    """The mean of a run's selection metrics, by which the best of several runs is chosen."""
    values = [metrics[name] for name in SELECTION_METRICS if name in metrics]
    return sum(values) / max(len(values), 1)


def decide(challenger: Mapping[str, float], champion: Mapping[str, float] | None) -> Decision:
    """Promote a challenger that is worse than the Production model in no selection metric.

    Both are metrics by name. Metrics that the champion lacks do not count; a challenger that lacks one loses.
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
        accuracy = f"{100 * challenger['validation_accuracy']:.2f} % on validation"
        return Decision(True, f"{accuracy}, and no Production model to compare with")
    sentence = f"{', '.join(compared)} of the Production model"
    return Decision(not worse, f"worse: {sentence}" if worse else sentence)


def decide_retraining(differences: Sequence[Difference]) -> Decision:
    """Promote a retrained model that is better on the held-out corrections and worse on nothing.

    It counts as better or worse only if the whole confidence interval of the difference is on that side of zero.
    """
    worse = [row for row in differences if row.high < 0]
    better = [row for row in differences if row.group == CORRECTIONS and row.low > 0]
    if worse:
        return Decision(False, f"worse: {_clause(worse)}")
    if not better:
        corrections = [row for row in differences if row.group == CORRECTIONS]
        return Decision(False, f"not better for certain: {_clause(corrections)}")
    return Decision(True, f"better: {_clause(better)}; worse nowhere")


def _clause(rows: Sequence[Difference]) -> str:
    """Word rows as a clause of the reason; the Production model's figure comes second."""
    return ", ".join(
        f"{100 * row.challenger:.2f} % against {100 * row.champion:.2f} % on {row.group} (n = {row.count})"
        for row in rows
    )
