"""Counts of the training data that people gave, and uploads of more. For the operator."""

import asyncio
from functools import partial
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import PICTURES_BODY, json_body, read_command, read_pictures
from serving.api.deps import OPERATOR_ONLY, Operator, ServicesDep
from serving.api.schemas import DatasetQuery, Schema
from serving.core.access import Caller
from serving.core.errors import Refused
from serving.learning.contradictions import open_questions
from serving.learning.known_images import known_images
from serving.learning.upload_check import CheckedUpload, as_corrections, check_upload
from serving.services import BULK_SECONDS, Services
from serving.storage.records import CorrectionFilter, ReviewState
from serving.uploads.zips import UploadedFile

MAX_ANSWERED = 900  # corrections of one request: a JSON body has at most 1,000 values

router = APIRouter(tags=["corrections"], dependencies=OPERATOR_ONLY)


class UploadQuery(Schema):
    """How an upload is treated."""

    dataset: DatasetQuery = DEFAULT_DATASET
    label: Annotated[str | None, Query(max_length=64, description="of all; none: as folders or a CSV say")] = None
    contradicted: Annotated[ReviewState, Query(description="what becomes of those the model contradicts")] = "pending"
    leave_out: Annotated[bool, Query(description="keep the rest where some can't be used, rather than none")] = False


class TrainingData(Schema):
    """Labels that people gave to images, label -> count."""

    dataset: str
    pending: dict[str, int] = Field(description="wait for the operator's review")
    accepted: dict[str, int]
    dropped: dict[str, int]
    digest: str = Field(description="SHA-256 of the accepted images and labels")


class UploadAnswer(Schema):
    """The outcome of an upload of training data."""

    id: str
    accepted: int
    pending: int = Field(description="to be reviewed, since the model contradicts their labels")
    contradicted: list[str] = Field(description="names of the pictures that the model contradicts with confidence")
    duplicates: dict[str, int] = Field(description="left out, by where the other one is")
    faults: dict[str, str] = Field(description="file -> why it could not be used")
    notes: list[str] = Field(description="how the upload was understood")
    compared: bool = Field(description="whether the data set's own images were here to compare with")


class QuestionItem(Schema):
    """Corrections that make the same change of the model's answer into a label that the model finds impossible."""

    question: str = Field(description="in words, for the operator")
    answer: str = Field(description="the model's; empty where it rejects")
    label: str
    confidence: float = Field(ge=0, le=1, description="of the model in its answers, on average")
    clients: int
    ids: list[int] = Field(description="of the corrections, the oldest first")


class QuestionsAnswer(Schema):
    """What is not learnt before it has been answered, most corrections first."""

    dataset: str
    questions: list[QuestionItem]


class AnswerBody(Schema):
    """The operator's answer for corrections that are asked about."""

    ids: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=MAX_ANSWERED)]
    right: bool = Field(description="learn them; false drops them")


class AnsweredAnswer(Schema):
    """How many corrections were answered for; those that nobody was asked about are left alone."""

    answered: int


@router.get("/api/training-data")
async def training_data(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> TrainingData:
    """Count corrections and uploaded pictures by state and label; give the digest of the accepted ones."""
    counts: dict[str, dict[str, int]] = {state: {} for state in get_args(ReviewState)}
    by_label = partial(_counts_and_digest, services, dataset)
    tally, digest = await services.database_calls.call_within(BULK_SECONDS, by_label)
    for (state, label), count in tally.items():
        counts[state][label] = count
    return TrainingData(dataset=dataset, digest=digest, **counts)


def _counts_and_digest(services: Services, dataset: str) -> tuple[dict[tuple[str, ...], int], str]:
    tally = services.corrections.tally(CorrectionFilter(dataset), "state", "label")
    return tally, services.corrections.accepted(dataset)[1]


@router.get("/api/training-data/questions")
async def questions(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> QuestionsAnswer:
    """Judge the newest corrections that are pending or accepted, 500 of them, and list those that contradict the
    model."""
    found = await services.database_calls.call_within(BULK_SECONDS, lambda: open_questions(services, dataset))
    items = [
        QuestionItem(
            question=str(question),
            answer=question.answer,
            label=question.label,
            confidence=question.confidence,
            clients=question.clients,
            ids=question.corrections.ids.tolist(),
        )
        for question in found
    ]
    return QuestionsAnswer(dataset=dataset, questions=items)


@router.post("/api/training-data/questions", openapi_extra=json_body(AnswerBody))
async def answer(request: Request, services: ServicesDep) -> AnsweredAnswer:
    """Accept the labels of corrections that are asked about, or drop them."""
    body = await read_command(request, services.load, AnswerBody)
    answered = services.database_calls.call(lambda: services.corrections.answer(body.ids, body.right))
    return AnsweredAnswer(answered=await answered)


@router.post("/api/upload/training-data", openapi_extra=PICTURES_BODY)
async def upload(
    request: Request, services: ServicesDep, operator: Operator, query: Annotated[UploadQuery, Query()]
) -> UploadAnswer:
    """Check labelled pictures, a zip or multipart files with an optional CSV of labels, and keep all of them or
    none. Known pictures are left out."""
    with services.load.request(operator.client) as held:
        files = await read_pictures(request, held, services.training_limits)
        return await _upload(services, operator, query, files)


async def _upload(services: Services, caller: Caller, query: UploadQuery, files: list[UploadedFile]) -> UploadAnswer:
    """Check and keep. Raises Refused, and keeps nothing, if a file can't be used and the rest may not be kept alone."""
    labels = services.classifier(query.dataset).bundle.class_names
    if query.label not in (None, *labels):
        raise Refused(422, "wrong_label", "There is no such label.", f"Labels: {', '.join(labels)}.")
    known = await asyncio.to_thread(known_images, query.dataset, services.settings, lambda *_: None)
    kept = await services.database_calls.call_within(
        BULK_SECONDS, lambda: services.corrections.known_digests(query.dataset)
    )
    checked = await check_upload(services, query.dataset, caller.client, files, query.label, kept, known)
    return await services.database_calls.call_within(BULK_SECONDS, partial(_keep, services, caller, query, checked))


def _keep(services: Services, caller: Caller, query: UploadQuery, checked: CheckedUpload) -> UploadAnswer:
    if checked.faults and not query.leave_out:
        name, fault = next(iter(checked.faults.items()))
        message = f"{len(checked.faults):,} files can't be used, the first of them {name[:100]}: {fault}"
        raise Refused(422, "bad_files", message, "Nothing was kept. leave_out=true keeps the rest.")
    client = services.client_ids.id_of(caller.client)
    rows = as_corrections(checked, query.dataset, caller.request_id, client, query.contradicted)
    services.corrections.add(rows)
    pending = sum(row.state == "pending" for row in rows)
    return UploadAnswer(
        id=caller.request_id,
        accepted=len(rows) - pending,
        pending=pending,
        contradicted=[picture.name for picture in checked.contradicted],
        duplicates=dict(checked.duplicates),
        faults=checked.faults,
        notes=list(checked.notes),
        compared=checked.compared,
    )
