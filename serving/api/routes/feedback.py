"""POST /api/feedback: the right label of an answer or an image, kept until the operator reviews it. For visitors."""

import asyncio
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from experiments.preprocessing.formats import NAMES
from serving.api.bodies import decoded, json_body, read_json
from serving.api.deps import ServicesDep, Visitor
from serving.api.schemas import CONFLICT, Dataset, ErrorAnswer, Label, Schema, Text
from serving.core.errors import Refused
from serving.core.limits import Held
from serving.learning.feedback import SIDE, Feedback, Kept, UnknownAnswerError, keep_feedback, small_drawing
from serving.prediction.prepare import Wanted
from serving.services import Services

RETRY_SECONDS = 0.4
ATTEMPTS = 4  # together longer than a replica takes to store its answers
router = APIRouter(tags=["corrections"])


class FeedbackBody(Schema):
    """The right label of the answer `id`, or of an image."""

    label: Label = Field(
        description="the right class, or all digits of a number, with spaces or newlines between its rows; "
        "the answer's own confirms it"
    )
    id: Text | None = Field(None, description="of the answer's request")
    position: int = Field(0, ge=0, le=2**31 - 1, description="within a batch")
    image: str | None = Field(None, description=f"a {NAMES} in base64, or a data URL of one")
    dataset: Dataset = Field(DEFAULT_DATASET, description="whose model answered")


class FeedbackAnswer(Schema):
    """The correction as it is kept."""

    dataset: str
    given: str | None = Field(description="label of the answer; null when none was named")
    label: str
    state: Literal["pending"] = Field(description="until the operator has looked at it")


UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": ErrorAnswer}}


@router.post("/api/feedback", openapi_extra=json_body(FeedbackBody), responses=UNKNOWN | CONFLICT)
async def feedback(request: Request, services: ServicesDep, visitor: Visitor) -> FeedbackAnswer:
    """Say which label an answer should have had: name the answer by `id` (and `position` in a batch), or send the
    `image`. Of a number each digit that was read wrong is kept, if the answer has as many digits. It is kept at once;
    no model learns it before the operator has accepted it."""
    services.rates.admit("feedback", visitor.client)
    with services.load.request(visitor.client) as held:
        kept = await _keep(services, await _read(services, request, held, visitor.client), visitor.client)
    return FeedbackAnswer(dataset=kept.dataset, given=kept.given or None, label=kept.proposed, state="pending")


async def _read(services: Services, request: Request, held: Held, client: str) -> Feedback:
    """Read the body and prepare its image, if it has one. Raises Refused."""
    body = await read_json(request, held, 2 * services.limits.file_mb, FeedbackBody)
    services.classifier(body.dataset)
    sent = Feedback(body.dataset, body.label, "api", body.id or "", body.position)
    if body.image is None:
        return replace(sent, drawing=await small_drawing(services, sent.request_id, client))
    wanted = Wanted(body.dataset, preview=SIDE)
    prepared = await services.worker_pool.prepare_one(wanted, [await decoded(body.image)], client)
    if prepared.image is None:
        raise Refused(422, "blank", "Nothing is drawn in this image.", "Send another.")
    return replace(sent, image=prepared.image, drawing=prepared.preview)


async def _keep(services: Services, sent: Feedback, client: str) -> Kept:
    """Keep the feedback, with retries in case another replica is still storing the answer. Raises Refused."""
    for _ in range(ATTEMPTS - 1):
        try:
            return await services.database_calls.call(keep_feedback, services, sent, client)
        except UnknownAnswerError:
            await asyncio.sleep(RETRY_SECONDS)
    return await services.database_calls.call(keep_feedback, services, sent, client)
