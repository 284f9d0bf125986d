"""POST /api/retrain, its status, and its end. For the operator."""

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request

from serving.api import bodies
from serving.api.deps import REFUSED, iso, operator
from serving.api.schemas import DatasetName
from serving.api.schemas_retraining import DifferenceItem, RetrainAnswer, RetrainBody, StatusAnswer
from serving.learning.retraining_process import cancel_retraining, latest_retraining, start_retraining
from serving.storage.records import Retraining

if TYPE_CHECKING:
    from serving.services import Services


def build(services: "Services") -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["retraining"])
    body = {"requestBody": {"required": True, "content": {bodies.JSON: {"schema": RetrainBody.model_json_schema()}}}}

    @router.post("/api/retrain", openapi_extra=body, responses=REFUSED)
    async def retrain(request: Request) -> RetrainAnswer:
        """Starts a retraining on what was accepted, in the background. 409 while another is going on, by its id, and
        while too little is accepted."""
        operator(services, request)
        with services.load.slot() as slot:
            wanted = await bodies.as_json(request, slot, 1, RetrainBody)
        return answer(await asyncio.to_thread(start_retraining, services, wanted.dataset))

    @router.get("/api/retrain/status")
    async def status(request: Request, dataset: DatasetName | None = None) -> StatusAnswer:
        """The retraining that is going on, else the last; of one data set if it is named."""
        operator(services, request)
        job = await asyncio.to_thread(latest_retraining, services, dataset)
        return StatusAnswer(retraining=None if job is None else answer(job))

    @router.post("/api/retrain/cancel", responses=REFUSED)
    async def cancel(request: Request) -> RetrainAnswer:
        """Has the retraining that is going on end within seconds. 409 if there is none, or it is deciding already."""
        operator(services, request)
        return answer(await asyncio.to_thread(cancel_retraining, services))

    return router


def answer(job: Retraining) -> RetrainAnswer:
    """As JSON."""
    return RetrainAnswer(
        id=job.id,
        dataset=job.dataset,
        state=job.state,
        started_at=iso(job.started_at),
        ended_at=None if job.ended_at is None else iso(job.ended_at),
        seconds_left=job.remaining,
        progress=job.progress,
        corrections=job.corrections,
        epochs=job.epochs,
        log=job.log,
        reason=job.reason,
        version=job.version,
        differences=[DifferenceItem(**row) for row in job.differences],
    )
