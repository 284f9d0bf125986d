"""The path of a correction into Production, on top of the Retrain tab: where it stands, and what comes next."""

import html
from dataclasses import dataclass
from typing import Literal

from serving.learning.retraining_requests import CORRECTIONS_NEEDED
from serving.page.widgets.times import format_utc
from serving.services import Services
from serving.storage.records import CorrectionFilter, ProductionEntry, Retraining

Stage = Literal["done", "now", "later", "failed"]
Step = tuple[str, str, Stage]
"""Title, a few words on where it stands, and its stage."""


@dataclass(frozen=True)
class Standing:
    """What waits, what is accepted, how the last retraining went, and what is in Production."""

    pending: int
    accepted: int
    unanswered: int  # of the accepted ones: contradictions that the operator has not decided
    retraining: Retraining | None
    production: ProductionEntry | None

    @property
    def learnable(self) -> int:
        """Accepted corrections that a retraining would learn from."""
        return self.accepted - self.unanswered

    @property
    def is_training(self) -> bool:
        """Whether a retraining is going on."""
        return self.retraining is not None and self.retraining.is_active

    @property
    def can_start(self) -> bool:
        """Whether a retraining can be started now."""
        return not self.is_training and self.learnable >= CORRECTIONS_NEEDED


def standing(services: Services, dataset: str) -> Standing:
    """Raises StoreError."""
    from serving.storage.production_log import ProductionLog  # SQLAlchemy, which would slow the page's start

    corrections = services.corrections
    states = corrections.tally(CorrectionFilter(dataset), "state")
    return Standing(
        pending=states.get(("pending",), 0),
        accepted=states.get(("accepted",), 0),
        unanswered=corrections.count(CorrectionFilter(dataset, state="accepted", unanswered=True)),
        retraining=services.retrainings.latest(dataset),
        production=next(iter(ProductionLog(services.database).entries(dataset, limit=1)), None),
    )


def path_report(standing: Standing) -> str:
    """HTML: the five steps, and what to do next."""
    items = "".join(
        f'<li class="{stage}"{current(stage)}><b>{title}</b><span>{html.escape(words)}</span></li>'
        for title, words, stage in steps(standing)
    )
    return f'<ol class="path">{items}</ol><p class="next">{html.escape(next_step(standing))}</p>'


def current(stage: Stage) -> str:
    """The attribute by which a screen reader says that this is the step in hand."""
    return ' aria-current="step"' if stage == "now" else ""


def steps(standing: Standing) -> list[Step]:
    """From review to Production."""
    accepted = f"{standing.accepted:,} accepted"
    if standing.unanswered:
        accepted += f", {standing.unanswered:,} to answer"
    enough: Stage = "now" if standing.unanswered else "done" if standing.learnable >= CORRECTIONS_NEEDED else "later"
    return [
        ("Review", f"{standing.pending:,} waiting", "now" if standing.pending else "done"),
        ("Accepted", accepted, enough),
        *_of_retraining(standing),
        ("Production", *_of_production(standing.production)),
    ]


def next_step(standing: Standing) -> str:
    """What the operator can do now, in a sentence."""
    if standing.retraining is not None and standing.retraining.is_waiting:
        return "A retraining waits to be done; what for is shown below."
    if standing.is_training:
        return "A retraining is going on; its progress is shown below."
    if standing.unanswered:
        return f"Answer the contradictions: {standing.unanswered:,} accepted corrections are not learnt before."
    if standing.pending:
        return f"Review what waits: {standing.pending:,} in all."
    if standing.learnable < CORRECTIONS_NEEDED:
        missing = CORRECTIONS_NEEDED - standing.learnable
        return f"A retraining needs {CORRECTIONS_NEEDED} accepted corrections: {missing} more."
    return f"A retraining can learn from {standing.learnable:,} accepted corrections."


def _of_retraining(standing: Standing) -> list[Step]:
    retraining = standing.retraining
    if retraining is None:
        return [("Train", "not begun", "now" if standing.can_start else "later"), ("Gate", "decides", "later")]
    if retraining.state == "deciding":
        return [("Train", "done", "done"), ("Gate", "deciding", "now")]
    if retraining.is_active:
        going_on = f"{retraining.state}, {100 * retraining.progress:.0f} %"
        words = "waits for a trainer" if retraining.is_waiting else going_on
        return [("Train", words, "now"), ("Gate", "decides", "later")]
    if retraining.state in ("promoted", "refused"):
        learnt = f"{retraining.corrections:,} learnt"
        gate: Step = ("Gate", "passed", "done") if retraining.state == "promoted" else ("Gate", "refused", "failed")
        return [("Train", learnt, "done"), gate]
    return [("Train", retraining.state, "failed"), ("Gate", "decides", "later")]


def _of_production(entry: ProductionEntry | None) -> tuple[str, Stage]:
    if entry is None:
        return "the shipped model", "done"
    return f"version {entry.version}, {format_utc(entry.at)[:10]}", "done"
