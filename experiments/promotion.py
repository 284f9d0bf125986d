"""The gate: which model may take Production."""

from collections.abc import Mapping
from dataclasses import dataclass

MEASURE = "validation_accuracy"
"""What models are chosen on. The test split only reports."""


@dataclass(frozen=True)
class Decision:
    """Whether a model takes Production, and why, as a sentence for the table and the registry."""

    promote: bool
    reason: str


def decide(challenger: Mapping[str, float], champion: Mapping[str, float] | None) -> Decision:
    """Let the challenger pass if it is not worse on validation than the Production model, if there is one.

    Both are metrics by name. A model that was never measured loses.
    """
    new = challenger.get(MEASURE, float("nan"))
    if not 0 <= new <= 1:
        return Decision(False, f"its {MEASURE} is missing")
    if champion is None or MEASURE not in champion:
        return Decision(True, f"{100 * new:.2f} % on validation, and no Production model to compare with")
    old = champion[MEASURE]
    compared = f"{100 * new:.2f} % on validation against {100 * old:.2f} % of the Production model"
    return Decision(new >= old, compared if new >= old else f"worse: {compared}")
