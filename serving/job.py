"""A retraining as everybody sees it. Without a database library: pages start on this."""

from dataclasses import dataclass
from typing import Any, Literal

State = Literal[
    "starting", "preparing", "training", "measuring", "deciding", "promoted", "refused", "failed", "cancelled"
]
CANCELLABLE = ("starting", "preparing", "training", "measuring")
GOING_ON = (*CANCELLABLE, "deciding")
SILENCE = 30.0  # s without a sign of life, after which a retraining has failed


@dataclass(frozen=True)
class Job:
    """One retraining, going on or over. Times are seconds since 1970, UTC."""

    id: int
    dataset: str
    state: State
    started_at: float
    seen_at: float
    ended_at: float | None
    progress: float  # 0 to 1
    remaining: float | None  # s, estimated
    corrections: int
    epochs: list[dict[str, float]]  # of each finished one: loss, accuracy, val_loss, val_accuracy, epoch, epochs
    log: list[str]
    reason: str
    version: str  # that came of it, empty if none
    run_id: str
    differences: list[dict[str, Any]]  # the gate's table, as experiments.comparison.Difference has it
    cancelled: bool

    @property
    def going_on(self) -> bool:
        """Whether it is not over."""
        return self.state in GOING_ON


class BusyError(RuntimeError):
    """Another retraining is going on; `job` is its id."""

    def __init__(self, job: int) -> None:
        super().__init__(f"Retraining {job} is going on. One runs at a time: wait for it, or cancel it.")
        self.job = job


class LostError(RuntimeError):
    """A retraining was given up by others, since nothing was heard of it."""
