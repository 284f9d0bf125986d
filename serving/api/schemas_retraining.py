"""The JSON of the operator's routes about retraining and Production."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from experiments.data.specs import DEFAULT_DATASET, SPECS
from serving.api.schemas import Schema
from serving.storage.records import MAX_REASON, RetrainingState

Name = Literal[*SPECS]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
Reason = Annotated[str, StringConstraints(max_length=MAX_REASON, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL


class RetrainBody(Schema):
    """What to retrain."""

    dataset: Name = DEFAULT_DATASET


class PromoteBody(Schema):
    """Which version to put into Production, and why; past the gate a reason is needed."""

    version: Version
    reason: Reason = ""
    dataset: Name = DEFAULT_DATASET


class RollbackBody(Schema):
    """What to put back, and why."""

    reason: Reason = ""
    dataset: Name = DEFAULT_DATASET


class DifferenceItem(Schema):
    """One row of the gate's table; shares 0 to 1, `low` to `high` the interval of challenger - champion."""

    group: str
    count: int
    champion: float
    challenger: float
    low: float
    high: float


class RetrainAnswer(Schema):
    """A retraining: the one that is going on, else the last."""

    id: int
    dataset: str
    state: RetrainingState
    started_at: str = Field(description="ISO 8601, UTC")
    ended_at: str | None
    seconds_left: float | None = Field(description="estimated; null while nobody knows, and at the end")
    progress: float = Field(ge=0, le=1)
    corrections: int = Field(description="accepted ones that it learns and is judged by")
    epochs: list[dict[str, Any]] = Field(description="loss, accuracy, val_loss and val_accuracy of each finished epoch")
    log: list[str] = Field(description="its last lines")
    reason: str = Field(description="why it ended as it did")
    version: str = Field(description="what came of it in the registry; empty if nothing")
    differences: list[DifferenceItem] = Field(description="the gate's table")


class StatusAnswer(Schema):
    """Whether and how a retraining goes; null before the first."""

    retraining: RetrainAnswer | None


class InProduction(Schema):
    """What is in Production now."""

    dataset: str
    version: str


class LogItem(Schema):
    """A version was in Production from `since` until `until`, null of the present one."""

    dataset: str
    version: str
    run_id: str
    since: str = Field(description="ISO 8601, UTC")
    until: str | None
    by: Literal["gate", "hand", "rollback", "start"]
    reason: str
    data_digest: str = Field(description="SHA-256 of what it was trained on")
    corrections: int = Field(description="accepted ones among that")


class ProductionLogAnswer(Schema):
    """The Production log, newest first."""

    items: list[LogItem]
