"""The Production log, POST /api/promote and POST /api/rollback. For the operator."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Request

from experiments.data.specs import DEFAULT_DATASET
from experiments.registry.store import RegistryError
from serving.api import bodies
from serving.api.deps import REFUSED, iso, operator
from serving.api.schemas import DatasetName
from serving.api.schemas_retraining import InProduction, LogItem, ProductionLogAnswer, PromoteBody, RollbackBody
from serving.core.errors import Refused
from serving.learning import production
from serving.storage import records

if TYPE_CHECKING:
    from serving.api.schemas import Schema
    from serving.services import Services

Result = TypeVar("Result")


def build(services: "Services") -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["production"])

    @router.get("/api/production-log", responses=REFUSED)
    async def production_log(request: Request, dataset: DatasetName = DEFAULT_DATASET) -> ProductionLogAnswer:
        """What was in Production when, why, by which data, and who put it there."""
        operator(services, request)
        lines = await asked(production.log, services, dataset)
        return ProductionLogAnswer(items=[_item(line) for line in lines])

    @router.post("/api/promote", openapi_extra=_body(PromoteBody), responses=REFUSED)
    async def promote(request: Request) -> InProduction:
        """Puts a version into Production by hand, on every replica within ten seconds. One that has not passed the gate
        needs a reason, which the log keeps."""
        operator(services, request)
        with services.load.slot() as slot:
            wanted = await bodies.as_json(request, slot, 1, PromoteBody)
        version = await asked(production.promote, services, wanted.dataset, wanted.version, wanted.reason)
        return InProduction(dataset=wanted.dataset, version=version)

    @router.post("/api/rollback", openapi_extra=_body(RollbackBody), responses=REFUSED)
    async def rollback(request: Request) -> InProduction:
        """Puts the version before the present one back; again, and it goes further back."""
        operator(services, request)
        with services.load.slot() as slot:
            wanted = await bodies.as_json(request, slot, 1, RollbackBody)
        version = await asked(production.rollback, services, wanted.dataset, wanted.reason)
        return InProduction(dataset=wanted.dataset, version=version)

    return router


async def asked(function: Callable[..., Result], *arguments: Any) -> Result:
    """In a thread, since the registry takes its time. Raises Refused for what the registry refuses."""
    try:
        return await asyncio.to_thread(function, *arguments)
    except RegistryError as error:
        raise Refused(409, "registry", str(error), "") from None


def _body(schema: "type[Schema]") -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {bodies.JSON: {"schema": schema.model_json_schema()}}}}


def _item(line: records.ProductionEntry) -> LogItem:
    return LogItem(
        dataset=line.dataset,
        version=line.version,
        run_id=line.run_id,
        since=iso(line.at),
        until=None if line.until is None else iso(line.until),
        by=line.by,  # type: ignore[arg-type]
        reason=line.reason,
        data_digest=line.data_digest,
        corrections=line.corrections,
    )
