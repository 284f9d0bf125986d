"""POST /api/predict and /api/predict/batch: pictures in, predictions out. For visitors."""

import time
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from experiments.data.specs import DEFAULT_DATASET
from experiments.inference.readings import reading
from model_loader import Classifier
from serving.api.bodies import PICTURE_BODY, PICTURES_BODY, read_picture, read_pictures
from serving.api.deps import ServicesDep, Visitor
from serving.api.schemas import BatchAnswer, DatasetQuery, ExpectQuery, PredictAnswer, model_name
from serving.core.access import Caller
from serving.prediction.predict import FileResult
from serving.prediction.prepare import Wanted

router = APIRouter(tags=["predict"])


@router.post("/api/predict", response_model=PredictAnswer, openapi_extra=PICTURE_BODY)
async def predict(
    request: Request,
    services: ServicesDep,
    visitor: Visitor,
    dataset: DatasetQuery = DEFAULT_DATASET,
    expect: ExpectQuery = "auto",
) -> Response:
    """Read one picture, of a digit or a number: raw, in a form, or in JSON as base64 or numbers; the bodies of common
    model servers are read too."""
    services.rates.admit("api", visitor.client)
    classifier = services.classifier(dataset)
    with services.load.request(visitor.client) as held:
        data = await read_picture(request, held, services.limits)
        started = time.perf_counter()
        prediction = await services.batcher.predict_one(Wanted(dataset), [data], visitor.client, expect)
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    services.record(dataset, visitor.request_id, "api", visitor.client, milliseconds, [prediction], [data])
    return _answer(visitor, classifier, milliseconds, reading(prediction, classifier.bundle.class_names))


@router.post("/api/predict/batch", response_model=BatchAnswer, openapi_extra=PICTURES_BODY)
async def predict_batch(
    request: Request,
    services: ServicesDep,
    visitor: Visitor,
    dataset: DatasetQuery = DEFAULT_DATASET,
    expect: ExpectQuery = "auto",
) -> Response:
    """Read many pictures, multipart files or a zip, in their order. A bad one does not spoil the rest."""
    services.rates.admit("api", visitor.client)
    classifier = services.classifier(dataset)
    with services.load.request(visitor.client) as held:
        files = await read_pictures(request, held, services.limits)
        services.rates.admit("api", visitor.client, len(files) - 1)
        started = time.perf_counter()
        results = await services.batcher.predict_many(Wanted(dataset), files, visitor.client, expect=expect)
        milliseconds = round(1000 * (time.perf_counter() - started), 3)
    mean = milliseconds / max(sum(file.error is None for file in files), 1)
    predictions = [result.prediction for result in results]
    services.record(dataset, visitor.request_id, "batch", visitor.client, mean, predictions)
    listed = [_result(classifier, *numbered) for numbered in enumerate(results)]
    return _answer(visitor, classifier, milliseconds, {"results": listed})


def _result(classifier: Classifier, position: int, result: FileResult) -> dict[str, Any]:
    return {
        "position": position,
        "name": result.name,
        "reading": reading(result.prediction, classifier.bundle.class_names) if result.prediction else None,
        "error": result.error.body() if result.error else None,
    }


def _answer(caller: Caller, classifier: Classifier, milliseconds: float, content: dict[str, Any]) -> Response:
    """What both routes tell first, then the content."""
    head = {"id": caller.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    return Response(orjson.dumps(head | content), media_type="application/json")
