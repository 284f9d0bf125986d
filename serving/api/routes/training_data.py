"""Counts of the training data that people gave, and uploads of more. For the operator."""

import asyncio
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from pydantic import Field

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import PICTURES_BODY, read_pictures
from serving.api.deps import OPERATOR_ONLY, Operator, ServicesDep
from serving.api.schemas import DatasetQuery, Schema
from serving.core.access import Caller
from serving.core.errors import Refused
from serving.learning.known_images import known_images
from serving.learning.upload_check import as_corrections, check_upload
from serving.services import Services
from serving.storage.records import CorrectionFilter, ReviewState
from serving.uploads.zips import UploadedFile

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
    compared: bool = Field(description="whether the data set's own images were here to compare with")


@router.get("/api/training-data")
def training_data(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> TrainingData:
    """Count corrections and uploaded pictures by state and label; give the digest of the accepted ones."""
    corrections = services.corrections
    counts: dict[str, dict[str, int]] = {state: {} for state in get_args(ReviewState)}
    for (state, label), count in corrections.tally(CorrectionFilter(dataset), "state", "label").items():
        counts[state][label] = count
    return TrainingData(dataset=dataset, digest=corrections.accepted(dataset)[1], **counts)


@router.post("/api/upload/training-data", openapi_extra=PICTURES_BODY)
async def upload(
    request: Request, services: ServicesDep, operator: Operator, query: Annotated[UploadQuery, Query()]
) -> UploadAnswer:
    """Check labelled pictures, a zip or multipart files with an optional CSV of labels, and keep all of them or
    none. Known pictures are left out."""
    with services.load.slot() as slot:
        files = await read_pictures(request, slot, services.training_limits)
        return await asyncio.to_thread(_upload, services, operator, query, files)


def _upload(services: Services, caller: Caller, query: UploadQuery, files: list[UploadedFile]) -> UploadAnswer:
    """Check and keep. Raises Refused, and keeps nothing, if a file can't be used and the rest may not be kept alone."""
    classifier, corrections = services.classifier(query.dataset), services.corrections
    labels = classifier.bundle.class_names
    if query.label not in (None, *labels):
        raise Refused(422, "wrong_label", "There is no such label.", f"Labels: {', '.join(labels)}.")
    known = known_images(query.dataset, services.settings, lambda *_: None)
    checked = check_upload(classifier, files, query.label, corrections.known_digests(query.dataset), known)
    if checked.faults and not query.leave_out:
        name, fault = next(iter(checked.faults.items()))
        message = f"{len(checked.faults):,} files can't be used, the first of them {name[:100]}: {fault}"
        raise Refused(422, "bad_files", message, "Nothing was kept. leave_out=true keeps the rest.")
    client = services.client_ids.id_of(caller.address)
    rows = as_corrections(checked, query.dataset, caller.request_id, client, query.contradicted)
    corrections.add(rows)
    pending = sum(row.state == "pending" for row in rows)
    return UploadAnswer(
        id=caller.request_id,
        accepted=len(rows) - pending,
        pending=pending,
        contradicted=[picture.name for picture in checked.contradicted],
        duplicates=dict(checked.duplicates),
        faults=checked.faults,
        compared=checked.compared,
    )
