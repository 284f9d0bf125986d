"""The JSON of the API: what each route takes and answers."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from experiments.data.specs import SPECS
from serving.storage.records import Source

if TYPE_CHECKING:
    from experiments.inference.predictions import Prediction
    from model_loader import Classifier

Text = Annotated[str, Field(max_length=64, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL
DatasetName = Annotated[Literal[*SPECS], Query(description="whose classes: each data set has a model of its own")]


class Schema(BaseModel):
    """A JSON object without further fields."""

    model_config = ConfigDict(extra="forbid")


class ImageBody(Schema):
    """One picture as JSON."""

    image: str = Field(description="a PNG, JPEG or WebP in base64, or a data URL of one")


class ModelName(Schema):
    """Which model answered."""

    version: str = Field(description="version in the registry; empty if it never was in one")
    sha256: str = Field(description="of the model file")
    source: Literal["registry", "shipped"]


class Reading(Schema):
    """What was read in one picture."""

    label: str | None = Field(description="the class; null when none is named")
    verdict: Literal["sure", "unsure", "rejected", "blank"]
    confidence: float = Field(ge=0, le=1, description="probability of the label")
    candidates: list[str] = Field(description="the two likeliest labels of an unsure answer")
    confidences: dict[str, float] = Field(description="class -> probability")


class PredictAnswer(Reading):
    """The answer to one picture."""

    id: str = Field(description="the request's id, under which the history keeps it")
    model: ModelName
    milliseconds: float = Field(description="to decode, prepare and infer, queueing included")


class Error(Schema):
    """What is wrong, and what to do."""

    code: str
    message: str
    hint: str


class ErrorAnswer(Schema):
    """Any refusal."""

    error: Error
    detail: str = Field(description="message and hint in one sentence")


class BatchResult(Schema):
    """One picture of a batch: a reading, or the reason why there is none."""

    position: int
    name: str = Field(description="the file's name as it was sent")
    reading: Reading | None
    error: Error | None


class BatchAnswer(Schema):
    """The answers to many pictures, in their order."""

    id: str
    model: ModelName
    milliseconds: float
    results: list[BatchResult]


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


class FeedbackBody(Schema):
    """What an answer should have been: of the answer `id`, or of an image."""

    label: Text = Field(description="the right class; that of the answer says that it was right")
    id: Text | None = Field(None, description="of the answer's request")
    position: int = Field(0, ge=0, le=2**31 - 1, description="within a batch")
    image: str | None = Field(None, description="a PNG, JPEG or WebP in base64, or a data URL of one")
    dataset: Literal[*SPECS] = Field(next(iter(SPECS)), description="whose model answered")


class FeedbackAnswer(Schema):
    """A correction that is kept."""

    dataset: str
    given: str | None = Field(description="label of the answer; null when none was named")
    label: str
    state: Literal["pending"] = Field(description="until the operator has looked at it")


WhatContradicted = Literal["pending", "accepted", "dropped"]


class TrainingData(Schema):
    """What people said of images, label -> count."""

    dataset: str
    pending: dict[str, int] = Field(description="wait for the operator's review")
    accepted: dict[str, int]
    dropped: dict[str, int]
    digest: str = Field(description="SHA-256 of the accepted images and labels")


class UploadAnswer(Schema):
    """What became of an upload of training data."""

    id: str
    accepted: int
    pending: int = Field(description="put into the review, since the model contradicts their labels")
    contradicted: list[str] = Field(description="names of the pictures that the model contradicts with confidence")
    duplicates: dict[str, int] = Field(description="left out, by where the other one is")
    faults: dict[str, str] = Field(description="file -> why it could not be used")
    compared: bool = Field(description="whether the data set's own images were here to compare with")


class HistoryItem(Schema):
    """One kept answer."""

    id: int
    request_id: str
    position: int
    answered_at: str = Field(description="ISO 8601, UTC")
    source: Source
    dataset: str
    verdict: str
    label: str | None
    confidence: float
    milliseconds: float
    model_version: str
    model_sha256: str
    client: str = Field(description="a keyed hash that groups what came from one client")
    corrected: str | None
    image: str | None = Field(description="PNG of what the model saw, in base64")


class HistoryAnswer(Schema):
    """A page of the history, newest first."""

    total: int = Field(description="kept answers that match")
    items: list[HistoryItem]
    next: int | None = Field(description="`before` of the next page; null on the last")


class Latency(Schema):
    """Milliseconds of the last answers."""

    count: int
    p50: float
    p95: float
    p99: float


class Stats(Schema):
    """What happened since the start."""

    uptime_seconds: float
    requests: dict[str, int] = Field(description="status -> requests, whatever the data set")
    per_minute: int = Field(description="answers of the last minute")
    answers: int
    latency_ms: Latency
    verdicts: dict[str, int]
    labels: dict[str, int]
    sources: dict[str, int]
    history: int | None = Field(description="answers kept; null while the history is off or away")


def reading(classifier: "Classifier", found: "Prediction") -> dict[str, Any]:
    """A prediction as JSON, in the shape of schemas.Reading."""
    probabilities = [round(value, 6) for value in found.probabilities.tolist()]
    return {
        "label": found.label or None,
        "verdict": found.verdict,
        "confidence": round(found.confidence, 6),
        "candidates": list(found.candidates),
        "confidences": dict(zip(classifier.bundle.class_names, probabilities, strict=True)),
    }


def model_name(classifier: "Classifier") -> dict[str, str]:
    """Which model answers now, in the shape of schemas.ModelName."""
    bundle = classifier.bundle
    return {"version": bundle.version, "sha256": bundle.sha256["model.tflite"], "source": classifier.source}
