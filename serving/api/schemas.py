"""JSON schemas of several routes; those of a single one are defined beside it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.data.specs import SPECS
from experiments.preprocessing.formats import NAMES
from model_loader import Classifier
from serving.prediction.batching import Expected
from serving.storage.records import LABEL_LENGTH

if TYPE_CHECKING:
    Dataset = str  # a type checker takes no computed Literal
else:
    Dataset = Literal[*SPECS]

ExpectQuery = Annotated[
    Expected,
    Query(
        description="what the picture shows: one `digit`, as which it is read whatever is on it; a `number`, in one "
        "row or several; or, by default, either. A sole digit is read as a `number` too; photos have neither"
    ),
]
DatasetQuery = Annotated[Dataset, Query(description="whose classes: each data set has a model of its own")]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL takes none
Text = Annotated[str, Field(max_length=64, pattern=NO_NUL)]
Label = Annotated[str, Field(max_length=LABEL_LENGTH, pattern=NO_NUL)]


def iso_time(seconds: float, timespec: str = "seconds") -> str:
    """Format seconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec)


IsoTime = Annotated[str, BeforeValidator(lambda value: value if isinstance(value, str) else iso_time(value))]
"""Made of seconds since 1970 unless it is text already."""


class Schema(BaseModel):
    """A JSON object without further fields, which can be made from a record's attributes."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, validate_by_name=True, validate_by_alias=True)


class ImageBody(Schema):
    """One picture as JSON."""

    image: str | list[Any] = Field(
        description=f"a {NAMES} in base64 or as a data URL; or rows of numbers, from 0 to 255 or from 0 to 1"
    )


class ModelName(Schema):
    """The model that answered."""

    version: str = Field(description="version in the registry; empty if it never was in one")
    sha256: str = Field(description="of the model file")
    source: Literal["registry", "shipped"]


class DigitReading(Schema):
    """One digit, alone or of a number, or ink beside them that is none."""

    box: list[int] = Field(
        min_length=4, max_length=4, description="left, top, right and bottom in px of the picture as it was sent"
    )
    label: str | None = Field(description="null for what is no digit")
    verdict: Literal["sure", "unsure", "rejected"]
    confidence: float = Field(ge=0, le=1, description="probability of the label")
    candidates: list[str] = Field(description="the two likeliest labels of an unsure digit")


class Reading(Schema):
    """The prediction for one picture."""

    label: str | None = Field(
        description="the class, or the number, with a newline between its rows and ? for what is no digit; null when "
        "none is named"
    )
    text: str | None = Field(description="what is written: the label, whether it is one digit or a number")
    verdict: Literal["sure", "unsure", "rejected", "blank"]
    confidence: float = Field(ge=0, le=1, description="probability of the label, of a number that all of it is right")
    candidates: list[str] = Field(description="the two likeliest labels of an unsure answer; of a number none")
    confidences: dict[str, float] = Field(description="class -> probability; of a number none")
    digits: list[DigitReading] = Field(
        description="of a number, or of one that is rejected, in reading order; or the one digit; none where a picture "
        "is rejected as a whole or blank, and of photos"
    )


class PredictAnswer(Reading):
    """The answer to one picture."""

    id: str = Field(description="the request's id, under which the history keeps it")
    model: ModelName
    milliseconds: float = Field(description="to decode, prepare and infer, queueing included")


class Error(Schema):
    """The reason of a refusal, and a remedy."""

    code: str
    message: str
    hint: str


class ErrorAnswer(Schema):
    """Any refusal."""

    error: Error
    detail: str = Field(description="message and hint in one sentence")


CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": ErrorAnswer}}
"""`responses` of a route whose request can conflict with the present state."""


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


def model_name(classifier: Classifier) -> dict[str, str]:
    """Return the model that answers now, in the shape of `ModelName`."""
    bundle = classifier.bundle
    return {"version": bundle.version, "sha256": bundle.sha256["model.tflite"], "source": classifier.source}
