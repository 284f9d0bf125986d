"""The Production log, POST /api/promote and POST /api/rollback. For the operator."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import json_body, read_command
from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import CONFLICT, NO_NUL, Dataset, DatasetQuery, IsoTime, Schema
from serving.learning import production
from serving.storage.records import MAX_REASON

Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}$")]
Reason = Annotated[str, StringConstraints(max_length=MAX_REASON, pattern=NO_NUL)]
router = APIRouter(tags=["production"], dependencies=OPERATOR_ONLY)


class PromoteBody(Schema):
    """Which version to put into Production, and why; past the gate a reason is needed."""

    version: Version
    reason: Reason = ""
    dataset: Dataset = DEFAULT_DATASET


class RollbackBody(Schema):
    """Which data set's model to roll back, and why."""

    reason: Reason = ""
    dataset: Dataset = DEFAULT_DATASET


class InProduction(Schema):
    """The version that is in Production now."""

    dataset: str
    version: str


class LogItem(Schema):
    """A version that was in Production from `since` until `until`, which is null for the present one."""

    dataset: str
    version: str
    run_id: str
    since: IsoTime = Field(validation_alias="at", description="ISO 8601, UTC")
    until: IsoTime | None
    by: Literal["gate", "hand", "rollback", "start"]
    reason: str
    data_digest: str = Field(description="SHA-256 of its training data")
    corrections: int = Field(description="accepted ones among that")


class ProductionLogAnswer(Schema):
    """The Production log, newest first."""

    items: list[LogItem]


@router.get("/api/production-log", responses=CONFLICT)
async def production_log(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> ProductionLogAnswer:
    """List which versions were in Production when and why, trained on which data, and put there by whom."""
    entries = await services.registry_calls.call(production.log, services, dataset)
    return ProductionLogAnswer(items=[LogItem.model_validate(entry) for entry in entries])


@router.post("/api/promote", openapi_extra=json_body(PromoteBody), responses=CONFLICT)
async def promote(request: Request, services: ServicesDep) -> InProduction:
    """Put a version into Production by hand, on every replica within ten seconds. One that has not passed the gate
    needs a reason, which the log keeps."""
    body = await read_command(request, services.load, PromoteBody)
    version = await services.registry_calls.call(production.promote, services, body.dataset, body.version, body.reason)
    return InProduction(dataset=body.dataset, version=version)


@router.post("/api/rollback", openapi_extra=json_body(RollbackBody), responses=CONFLICT)
async def rollback(request: Request, services: ServicesDep) -> InProduction:
    """Put the previous version back; repeated, it goes further back."""
    body = await read_command(request, services.load, RollbackBody)
    version = await services.registry_calls.call(production.rollback, services, body.dataset, body.reason)
    return InProduction(dataset=body.dataset, version=version)
