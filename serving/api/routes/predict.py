"""POST /api/predict and /api/predict/batch: pictures in, answers out. For visitors."""

import itertools
import time
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from experiments.data.specs import DEFAULT_DATASET
from serving.api import bodies
from serving.api.bodies import MANY, ONE
from serving.api.deps import visitor
from serving.api.schemas import BatchAnswer, DatasetName, PredictAnswer, model_name, reading
from serving.core.errors import Refused

if TYPE_CHECKING:
    from experiments.inference.predictions import Prediction
    from model_loader import Classifier
    from serving.services import Services


def build(services: "Services") -> APIRouter:
    """The two routes."""
    router = APIRouter(tags=["predict"])

    @router.post("/api/predict", response_model=PredictAnswer, openapi_extra=_body(ONE))
    async def predict(request: Request, dataset: DatasetName = DEFAULT_DATASET) -> Response:
        """Reads one picture: a raw PNG, JPEG or WebP, a multipart file, or JSON with base64."""
        return await _predict(services, request, dataset)

    @router.post("/api/predict/batch", response_model=BatchAnswer, openapi_extra=_body(MANY))
    async def predict_batch(request: Request, dataset: DatasetName = DEFAULT_DATASET) -> Response:
        """Reads many pictures, multipart files or a zip, in their order. A bad one does not spoil the rest."""
        return await _predict_batch(services, request, dataset)

    return router


async def _predict(services: "Services", request: Request, dataset: str) -> Response:
    caller, classifier = visitor(services, request, "api"), services.classifier(dataset)
    with services.load.slot() as slot:
        data = await bodies.one_picture(request, slot, services.bounds)
        started = time.perf_counter()
        found = await services.batcher.one(dataset, data)
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    services.keep(dataset, caller.request_id, "api", caller.address, milliseconds, [found], [data])
    told = {"id": caller.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    return _json(told | reading(classifier, found))


async def _predict_batch(services: "Services", request: Request, dataset: str) -> Response:
    caller, classifier = visitor(services, request, "api"), services.classifier(dataset)
    with services.load.slot() as slot:
        pictures = await bodies.many_pictures(request, slot, services.bounds)
        services.rates.admit("api", caller.address, len(pictures) - 1)
        started = time.perf_counter()
        good = [picture.data for picture in pictures if picture.error is None]
        answers = iter(await services.batcher.many(dataset, good))
        found = [next(answers) if picture.error is None else picture.error for picture in pictures]
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    kept = [None if isinstance(each, Refused) else each for each in found]
    services.keep(dataset, caller.request_id, "batch", caller.address, milliseconds / max(len(good), 1), kept)
    told = {"id": caller.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    results = [_result(classifier, *each) for each in zip(itertools.count(), pictures, found, strict=False)]
    return _json(told | {"results": results})


def _result(
    classifier: "Classifier", position: int, picture: bodies.Picture, found: "Prediction | Refused"
) -> dict[str, Any]:
    refused = isinstance(found, Refused)
    return {
        "position": position,
        "name": picture.name,
        "reading": None if refused else reading(classifier, found),
        "error": found.body() if refused else None,
    }


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


def _json(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
