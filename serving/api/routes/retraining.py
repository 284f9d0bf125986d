"""Start, watch and cancel a retraining: /api/retrain. For the operator."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import json_body, read_command
from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import CONFLICT, Dataset, DatasetQuery, IsoTime, Schema
from serving.learning.retraining_requests import cancel_retraining, start_retraining, waiting_notice
from serving.storage.records import RetrainingState

router = APIRouter(tags=["retraining"], dependencies=OPERATOR_ONLY)


class RetrainBody(Schema):
    """The data set to retrain on."""

    dataset: Dataset = DEFAULT_DATASET


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
    attempts: int = Field(description="how often it was begun: its process may be lost twice")
    started_at: IsoTime = Field(description="of its latest attempt, before that asked for; ISO 8601, UTC")
    ended_at: IsoTime | None
    seconds_left: float | None = Field(
        validation_alias="remaining", description="estimated; null while unknown, and at the end"
    )
    progress: float = Field(ge=0, le=1)
    corrections: int = Field(description="accepted ones that it learns and is judged by")
    epochs: list[dict[str, Any]] = Field(description="loss, accuracy, val_loss and val_accuracy of each finished epoch")
    log: list[str] = Field(description="its last lines")
    reason: str = Field(description="why it ended as it did")
    version: str = Field(description="the version it registered; empty if none")
    differences: list[DifferenceItem] = Field(description="the gate's table")


class StatusAnswer(Schema):
    """The state of a retraining; null before the first."""

    retraining: RetrainAnswer | None
    notice: str = Field(description="why it waits, or would, and what to do about that; else empty")


@router.post("/api/retrain", openapi_extra=json_body(RetrainBody), responses=CONFLICT)
async def retrain(request: Request, services: ServicesDep) -> RetrainAnswer:
    """Ask for a retraining on the accepted corrections, in the background. 409 with the id of another of the data set
    that is not over, and while too few are accepted."""
    body = await read_command(request, services.load, RetrainBody)
    return RetrainAnswer.model_validate(await services.database_calls.call(start_retraining, services, body.dataset))


@router.get("/api/retrain/status")
async def status(services: ServicesDep, dataset: DatasetQuery | None = None) -> StatusAnswer:
    """Show the retraining that is going on, else the last; of one data set if it is named."""

    def read() -> dict[str, Any]:
        latest = services.retrainings.latest(dataset)
        return {"retraining": latest, "notice": waiting_notice(services, latest)}

    return StatusAnswer.model_validate(await services.database_calls.call(read))


@router.post("/api/retrain/cancel", responses=CONFLICT)
async def cancel(services: ServicesDep, dataset: DatasetQuery | None = None) -> RetrainAnswer:
    """End the retraining that is going on within seconds, and one that waits at once; of one data set if it is named.
    409 if there is none, or it is deciding already."""
    return RetrainAnswer.model_validate(await services.database_calls.call(cancel_retraining, services, dataset))
