"""Start, watch and cancel a retraining: /api/retrain. For the operator."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import json_body, read_command
from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import CONFLICT, Dataset, DatasetQuery, Schema, iso_time
from serving.learning.retraining_process import cancel_retraining, latest_retraining, start_retraining
from serving.storage.records import Retraining, RetrainingState

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
    started_at: str = Field(description="ISO 8601, UTC")
    ended_at: str | None
    seconds_left: float | None = Field(description="estimated; null while unknown, and at the end")
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
    return _answer(await asyncio.to_thread(start_retraining, services, body.dataset))


@router.get("/api/retrain/status")
async def status(services: ServicesDep, dataset: DatasetQuery | None = None) -> StatusAnswer:
    """Show the retraining that is going on, else the last; of one data set if it is named."""
    retraining = await asyncio.to_thread(latest_retraining, services, dataset)
    return StatusAnswer(retraining=None if retraining is None else _answer(retraining))


@router.post("/api/retrain/cancel", responses=CONFLICT)
async def cancel(services: ServicesDep) -> RetrainAnswer:
    """End the retraining that is going on within seconds. 409 if there is none, or it is deciding already."""
    return _answer(await asyncio.to_thread(cancel_retraining, services))


def _answer(retraining: Retraining) -> RetrainAnswer:
    return RetrainAnswer(
        id=retraining.id,
        dataset=retraining.dataset,
        state=retraining.state,
        started_at=iso_time(retraining.started_at),
        ended_at=None if retraining.ended_at is None else iso_time(retraining.ended_at),
        seconds_left=retraining.remaining,
        progress=retraining.progress,
        corrections=retraining.corrections,
        epochs=retraining.epochs,
        log=retraining.log,
        reason=retraining.reason,
        version=retraining.version,
        differences=[DifferenceItem(**row) for row in retraining.differences],
    )
