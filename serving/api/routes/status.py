"""Health, readiness and the model card, for anyone; figures and metrics, for the operator."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from experiments.data.specs import DEFAULT_DATASET, SPECS
from experiments.inference.litert import ModelError
from serving.api.deps import operator
from serving.api.schemas import DatasetName, Health, Latency, ModelCard, ModelName, Ready, Stats, model_name
from serving.storage.records import AnswerFilter, StoreError

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.services import Services


def build(services: "Services") -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["status"])

    @router.get("/api/health")
    async def health() -> Health:
        """Whether the process is alive."""
        return Health(
            status="healthy",
            version=services.classifier(DEFAULT_DATASET).bundle.version,
            uptime_seconds=services.metrics.uptime,
        )

    @router.get("/api/ready")
    async def ready(dataset: DatasetName = DEFAULT_DATASET) -> Ready:
        """Whether a model answers: it is asked for an answer."""
        classifier = services.classifier(dataset)
        await asyncio.to_thread(_try, classifier)
        return Ready(status="ready", model=ModelName(**model_name(classifier)))

    @router.get("/api/model")
    async def model(dataset: DatasetName = DEFAULT_DATASET) -> ModelCard:
        """The Production model: version, run, hashes, metrics, since when."""
        return model_card(services.classifier(dataset))

    @router.get("/api/stats")
    async def stats(request: Request, dataset: DatasetName = DEFAULT_DATASET) -> Stats:
        """Uptime, counts, latency percentiles, verdicts and labels since the start of this process."""
        operator(services, request)
        return await asyncio.to_thread(figures, services, dataset)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(request: Request) -> Response:
        """For Prometheus."""
        operator(services, request)
        return PlainTextResponse(services.metrics.exposition(services.load.requests))

    return router


def _try(classifier: "Classifier") -> None:
    empty = np.zeros((1, *classifier.bundle.input_shape), np.uint8)
    try:
        classifier.predict(empty)
    except Exception as error:
        raise ModelError("The model does not answer.") from error


def model_card(classifier: "Classifier") -> ModelCard:
    """What is known of the model that answers now."""
    bundle = classifier.bundle
    return ModelCard(
        name=SPECS[bundle.dataset].registered_model,
        dataset=bundle.dataset,
        version=bundle.version,
        source=classifier.source,
        run_id=bundle.run_id,
        trained_at=bundle.trained_at,
        serving_since=datetime.fromtimestamp(classifier.since, UTC).isoformat(timespec="seconds"),
        data_digest=bundle.data_digest,
        sha256=dict(bundle.sha256),
        metrics=dict(bundle.metrics),
        class_names=list(bundle.class_names),
    )


def figures(services: "Services", dataset: str) -> Stats:
    """What happened since the start. Asks the history, so not for the event loop."""
    metrics, tally, kept = services.metrics, services.metrics.tallies[dataset], None
    if services.recorder is not None:
        try:
            kept = services.recorder.history.count(AnswerFilter(dataset=dataset))
        except StoreError:
            kept = None
    return Stats(
        uptime_seconds=metrics.uptime,
        requests=dict(metrics.statuses),
        per_minute=tally.per_minute(),
        answers=sum(tally.verdicts.values()),
        latency_ms=Latency(**dataclasses.asdict(tally.latencies())),
        verdicts=dict(tally.verdicts),
        labels=dict(tally.labels),
        sources=dict(tally.sources),
        history=kept,
    )
