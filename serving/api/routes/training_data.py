"""GET /api/training-data, what was accepted and what waits, and POST /api/upload/training-data. For the operator."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from experiments.data.specs import DEFAULT_DATASET
from serving.api import bodies
from serving.api.bodies import MANY
from serving.api.deps import operator
from serving.api.schemas import DatasetName, Schema, TrainingData, UploadAnswer, WhatContradicted
from serving.core.access import Caller
from serving.core.errors import Refused
from serving.learning.known_images import known_images
from serving.learning.upload_check import CheckedUpload, as_corrections, check_upload
from serving.storage.records import CorrectionFilter
from serving.uploads.unpacking import Bounds, Picture
from serving.uploads.zips import File, ZipError

if TYPE_CHECKING:
    from serving.services import Services

STATES = ("pending", "accepted", "dropped")


class UploadQuery(Schema):
    """How an upload is taken."""

    dataset: DatasetName = DEFAULT_DATASET
    label: Annotated[str | None, Query(max_length=64, description="of all pictures; none: as folders or a CSV say")] = (
        None
    )
    contradicted: Annotated[WhatContradicted, Query(description="what becomes of those the model contradicts")] = (
        "pending"
    )
    leave_out: Annotated[bool, Query(description="keep the rest where files can't be used, rather than nothing")] = (
        False
    )


def build(services: "Services") -> APIRouter:
    """The two routes."""
    router = APIRouter(tags=["corrections"])
    taken: dict[str, Any] = {"requestBody": {"required": True, "content": MANY}}

    @router.get("/api/training-data")
    def training_data(request: Request, dataset: DatasetName = DEFAULT_DATASET) -> TrainingData:
        """How many corrections and uploaded pictures there are, by state and label, and the digest of the accepted."""
        operator(services, request)
        return _kept(services, dataset)

    @router.post("/api/upload/training-data", openapi_extra=taken)
    async def upload(request: Request, query: Annotated[UploadQuery, Query()]) -> UploadAnswer:
        """Checks labelled pictures, a zip or multipart files with maybe a CSV among them, and keeps all of them or
        none. Pictures that are there already are left out."""
        caller = operator(services, request)
        settings = services.settings
        bounds = Bounds(settings.max_image_mb, settings.max_batch_mb, settings.max_training_images)
        with services.load.slot() as slot:
            pictures = await bodies.many_pictures(request, slot, bounds)
            return await asyncio.to_thread(_upload, services, caller, query, pictures)

    return router


def _kept(services: "Services", dataset: str) -> TrainingData:
    from serving.storage.corrections import Corrections

    corrections = Corrections(services.database)
    counts: dict[str, dict[str, int]] = {state: {} for state in STATES}
    for (state, label), count in corrections.tally(CorrectionFilter(dataset), "state", "label").items():
        counts[state][label] = count
    return TrainingData(dataset=dataset, digest=corrections.accepted(dataset)[1], **counts)


def _upload(services: "Services", caller: Caller, query: UploadQuery, pictures: list[Picture]) -> UploadAnswer:
    """Raises Refused and keeps nothing where something can't be used."""
    from serving.storage.corrections import Corrections

    classifier, corrections = services.classifier(query.dataset), Corrections(services.database)
    if query.label not in (None, *classifier.bundle.class_names):
        raise Refused(
            422, "wrong_label", "There is no such label.", f"Labels: {', '.join(classifier.bundle.class_names)}."
        )
    theirs = known_images(query.dataset, services.settings, lambda *_: None)
    files = (File(each.name, each.data, _words(each.error)) for each in pictures)
    try:
        checked = check_upload(classifier, files, query.label, corrections.known_digests(query.dataset), theirs)
    except ZipError as error:
        raise Refused(422, "bad_upload", str(error), "Nothing was kept.") from None
    if checked.faults and not query.leave_out:
        name, fault = next(iter(checked.faults.items()))
        message = f"{len(checked.faults):,} files can't be used, the first of them {name[:100]}: {fault}"
        raise Refused(422, "bad_files", message, "Nothing was kept. leave_out=true keeps the rest.")
    client = services.client_ids.id_of(caller.address)
    rows = as_corrections(checked, query.dataset, caller.request_id, client, query.contradicted)
    if rows:
        corrections.add(rows)
    return _answer(caller.request_id, checked, len(rows), sum(row.state == "pending" for row in rows))


def _answer(number: str, checked: CheckedUpload, kept: int, pending: int) -> UploadAnswer:
    return UploadAnswer(
        id=number,
        accepted=kept - pending,
        pending=pending,
        contradicted=[each.name for each in checked.contradicted],
        duplicates=dict(checked.duplicates),
        faults=checked.faults,
        compared=checked.compared,
    )


def _words(error: Refused | None) -> str:
    return "" if error is None else f"{error.message} {error.hint}"
