"""POST /api/predict and /api/predict/batch: pictures in, answers out. For visitors."""

import itertools
import time
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from experiments.data.specs import DEFAULT_DATASET
from serving.api.bodies import PICTURE_BODY, PICTURES_BODY, read_picture, read_pictures
from serving.api.deps import ServicesDep, Visitor
from serving.api.schemas import BatchAnswer, DatasetQuery, PredictAnswer, model_name, reading
from serving.core.errors import Refused
from serving.uploads.unpacking import Picture

if TYPE_CHECKING:
    from experiments.inference.predictions import Prediction
    from model_loader import Classifier

router = APIRouter(tags=["predict"])


@router.post("/api/predict", response_model=PredictAnswer, openapi_extra=PICTURE_BODY)
async def predict(
    request: Request, services: ServicesDep, visitor: Visitor, dataset: DatasetQuery = DEFAULT_DATASET
) -> Response:
    """Reads one picture: a raw PNG, JPEG or WebP, a multipart file, or JSON with base64."""
    services.rates.admit("api", visitor.address)
    classifier = services.classifier(dataset)
    with services.load.slot() as slot:
        data = await read_picture(request, slot, services.bounds)
        started = time.perf_counter()
        found = await services.batcher.one(dataset, data)
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    services.keep(dataset, visitor.request_id, "api", visitor.address, milliseconds, [found], [data])
    told = {"id": visitor.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    return _json(told | reading(classifier, found))


@router.post("/api/predict/batch", response_model=BatchAnswer, openapi_extra=PICTURES_BODY)
async def predict_batch(
    request: Request, services: ServicesDep, visitor: Visitor, dataset: DatasetQuery = DEFAULT_DATASET
) -> Response:
    """Reads many pictures, multipart files or a zip, in their order. A bad one does not spoil the rest."""
    services.rates.admit("api", visitor.address)
    classifier = services.classifier(dataset)
    with services.load.slot() as slot:
        pictures = await read_pictures(request, slot, services.bounds)
        services.rates.admit("api", visitor.address, len(pictures) - 1)
        started = time.perf_counter()
        good = [picture.data for picture in pictures if picture.error is None]
        answers = iter(await services.batcher.many(dataset, good))
        found = [next(answers) if picture.error is None else picture.error for picture in pictures]
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    kept = [None if isinstance(each, Refused) else each for each in found]
    services.keep(dataset, visitor.request_id, "batch", visitor.address, milliseconds / max(len(good), 1), kept)
    told = {"id": visitor.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    results = [_result(classifier, *each) for each in zip(itertools.count(), pictures, found, strict=False)]
    return _json(told | {"results": results})


def _result(classifier: "Classifier", position: int, picture: Picture, found: "Prediction | Refused") -> dict[str, Any]:
    return {
        "position": position,
        "name": picture.name,
        "reading": None if isinstance(found, Refused) else reading(classifier, found),
        "error": found.body() if isinstance(found, Refused) else None,
    }


def _json(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
