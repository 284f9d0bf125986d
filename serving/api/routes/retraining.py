"""Start, watch and cancel a retraining: /api/retrain. For the operator."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import json_body, read_command
from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import CONFLICT, Dataset, DatasetQuery, IsoTime, Schema
from serving.learning.retraining_process import cancel_retraining, start_retraining
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
    started_at: IsoTime = Field(description="ISO 8601, UTC")
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


@router.post("/api/retrain", openapi_extra=json_body(RetrainBody), responses=CONFLICT)
async def retrain(request: Request, services: ServicesDep) -> RetrainAnswer:
    """Start a retraining on the accepted corrections, in the background. 409 with the id of another that is going on,
    and while too few are accepted."""
    body = await read_command(request, services.load, RetrainBody)
    return RetrainAnswer.model_validate(await services.database_calls.call(start_retraining, services, body.dataset))


@router.get("/api/retrain/status")
async def status(services: ServicesDep, dataset: DatasetQuery | None = None) -> StatusAnswer:
    """Show the retraining that is going on, else the last; of one data set if it is named."""
    latest = await services.database_calls.call(lambda: services.retrainings.latest(dataset))
    return StatusAnswer.model_validate({"retraining": latest})


@router.post("/api/retrain/cancel", responses=CONFLICT)
async def cancel(services: ServicesDep) -> RetrainAnswer:
    """End the retraining that is going on within seconds. 409 if there is none, or it is deciding already."""
    return RetrainAnswer.model_validate(await services.database_calls.call(cancel_retraining, services))
