"""POST /api/feedback: the right label of an answer, or of an image. For visitors; it waits to be reviewed."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request

from serving.api import bodies
from serving.api.deps import visitor
from serving.api.schemas import ErrorAnswer, FeedbackAnswer, FeedbackBody
from serving.core.errors import Refused
from serving.core.limits import Slot
from serving.learning.feedback import Feedback, UnknownAnswerError, keep_feedback
from serving.prediction.recent_drawings import small_png
from serving.storage.records import Correction

if TYPE_CHECKING:
    from serving.services import Services

PAUSE = 0.4  # s between two looks for an answer
LOOKS = 4  # together longer than a replica takes to write down what it has answered


def build(services: "Services") -> APIRouter:
    """The route."""
    router = APIRouter(tags=["corrections"])
    body = {"requestBody": {"required": True, "content": {bodies.JSON: {"schema": FeedbackBody.model_json_schema()}}}}

    refusals: dict[int | str, dict[str, Any]] = {404: {"model": ErrorAnswer}, 409: {"model": ErrorAnswer}}

    @router.post("/api/feedback", response_model=FeedbackAnswer, openapi_extra=body, responses=refusals)
    async def feedback(request: Request) -> FeedbackAnswer:
        """Says which label an answer should have had: name the answer by `id` (and `position` in a batch), or send the
        `image`. It is kept at once, and nothing is learnt from it before the operator has accepted it."""
        caller = visitor(services, request, "feedback")
        with services.load.slot() as slot:
            told = await _read(services, request, slot)
            kept = await _keep(services, told, caller.address)
        return FeedbackAnswer(dataset=kept.dataset, given=kept.given or None, label=kept.proposed, state="pending")

    return router


async def _read(services: "Services", request: Request, slot: Slot) -> Feedback:
    """Raises Refused."""
    body = await bodies.as_json(request, slot, 2 * services.bounds.image_mb, FeedbackBody)
    services.classifier(body.dataset)
    told = Feedback(body.dataset, body.label, "api", body.id or "", body.position)
    if body.image is None:
        return told
    data = bodies.from_base64(body.image)
    (image,) = await services.worker_pool.read(body.dataset, [data])
    if isinstance(image, Refused):
        raise image
    if not isinstance(image, np.ndarray):
        raise Refused(422, "blank", "Nothing is drawn in this image.", "Send another.")
    drawing = await asyncio.to_thread(small_png, [data])
    return replace(told, image=image, drawing=drawing)


async def _keep(services: "Services", told: Feedback, address: str) -> Correction:
    """Looks again while another replica may be writing the answer down."""
    for _ in range(LOOKS - 1):
        try:
            return await asyncio.to_thread(keep_feedback, services, told, address)
        except UnknownAnswerError:
            await asyncio.sleep(PAUSE)
    return await asyncio.to_thread(keep_feedback, services, told, address)
