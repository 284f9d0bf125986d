"""Health, readiness and the model card, for anyone; statistics and metrics, for the operator."""

import asyncio
from typing import Literal

import numpy as np
from fastapi import APIRouter
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from experiments.data.specs import DEFAULT_DATASET, SPECS
from experiments.inference.litert import ModelError
from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import DatasetQuery, ModelName, Schema, iso_time, model_name
from serving.core.metrics import Latency
from serving.services import Services
from serving.storage.records import AnswerFilter, StoreError

router = APIRouter(tags=["status"])


class Health(Schema):
    """Whether the process is alive."""

    status: Literal["healthy"]
    version: str = Field(description="of the model that answers")
    uptime_seconds: float


class Ready(Schema):
    """Whether a model answers."""

    status: Literal["ready"]
    model: ModelName


class ModelCard(Schema):
    """The Production model."""

    name: str
    dataset: str
    version: str
    source: Literal["registry", "shipped"]
    run_id: str
    trained_at: str
    serving_since: str = Field(description="when this process took it up, ISO 8601")
    data_digest: str
    sha256: dict[str, str]
    metrics: dict[str, float]
    class_names: list[str]


class Stats(Schema):
    """Counts since the start."""

    uptime_seconds: float
    requests: dict[str, int] = Field(description="status -> requests, whatever the data set")
    per_minute: int = Field(description="answers of the last minute")
    answers: int
    latency_ms: Latency
    verdicts: dict[str, int]
    labels: dict[str, int]
    sources: dict[str, int]
    history: int | None = Field(description="answers kept; null while the history is off or away")
    database: bool = Field(description="whether the database answered when it was last asked, and has room")
    registry: bool = Field(description="likewise MLflow")


@router.get("/api/health")
async def health(services: ServicesDep) -> Health:
    """Tell whether the process is alive."""
    return Health(
        status="healthy",
        version=services.classifier(DEFAULT_DATASET).bundle.version,
        uptime_seconds=services.metrics.uptime,
    )


@router.get("/api/ready")
async def ready(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> Ready:
    """Tell whether the model answers, by asking it for an answer."""
    classifier = services.classifier(dataset)
    try:
        await asyncio.to_thread(classifier.predict, np.zeros((1, *classifier.bundle.input_shape), np.uint8))
    except Exception as error:
        raise ModelError("The model does not answer.") from error
    return Ready(status="ready", model=ModelName(**model_name(classifier)))


@router.get("/api/model")
async def model(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> ModelCard:
    """Describe the Production model: version, run, hashes, metrics, since when."""
    classifier = services.classifier(dataset)
    bundle = classifier.bundle
    return ModelCard(
        name=SPECS[dataset].registered_model,
        dataset=dataset,
        version=bundle.version,
        source=classifier.source,
        run_id=bundle.run_id,
        trained_at=bundle.trained_at,
        serving_since=iso_time(classifier.since),
        data_digest=bundle.data_digest,
        sha256=dict(bundle.sha256),
        metrics=dict(bundle.metrics),
        class_names=list(bundle.class_names),
    )


@router.get("/api/stats", dependencies=OPERATOR_ONLY)
async def stats(services: ServicesDep, dataset: DatasetQuery = DEFAULT_DATASET) -> Stats:
    """Sum up this process: uptime, counts, latency percentiles, verdicts and labels."""
    metrics, tally = services.metrics, services.metrics.tallies[dataset]
    try:
        kept = await services.database_calls.call(_kept_answers, services, dataset)
    except StoreError:
        kept = None
    return Stats(
        uptime_seconds=metrics.uptime,
        requests=dict(metrics.statuses),
        per_minute=tally.per_minute(),
        answers=sum(tally.verdicts.values()),
        latency_ms=tally.latencies(),
        verdicts=dict(tally.verdicts),
        labels=dict(tally.labels),
        sources=dict(tally.sources),
        history=kept,
        database=not services.database_problem,
        registry=not services.registry_calls.problem,
    )


def _kept_answers(services: Services, dataset: str) -> int | None:
    return services.recorder.history.count(AnswerFilter(dataset=dataset)) if services.recorder else None


@router.get("/metrics", response_class=PlainTextResponse, dependencies=OPERATOR_ONLY)
async def metrics(services: ServicesDep) -> Response:
    """Expose the metrics for Prometheus."""
    up = {"database": not services.database_problem, "registry": not services.registry_calls.problem}
    return PlainTextResponse(services.metrics.exposition(services.load.places.used, up))
