"""GET /api/history: past predictions, filtered and paged. For the operator."""

import base64
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from serving.api.deps import OPERATOR_ONLY, ServicesDep
from serving.api.schemas import NO_NUL, DatasetQuery, Schema, iso_time
from serving.core.errors import Refused
from serving.core.images import pixels_to_png
from serving.storage.recorder import Recorder
from serving.storage.records import LABEL_LENGTH, AnswerFilter, Entry, Source

TextQuery = Annotated[str | None, Query(max_length=64, pattern=NO_NUL)]
LabelQuery = Annotated[
    str | None,
    Query(
        max_length=LABEL_LENGTH, pattern=NO_NUL, description="a class, or a whole number, with spaces between its rows"
    ),
]
IdQuery = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
router = APIRouter(tags=["history"], dependencies=OPERATOR_ONLY)


class HistoryQuery(Schema):
    """Filters; one that is left out matches everything."""

    verdict: TextQuery = None
    label: LabelQuery = None
    source: TextQuery = None
    dataset: DatasetQuery | None = None
    model_version: TextQuery = None
    client: TextQuery = None
    since: datetime | None = None
    until: datetime | None = None
    before: IdQuery = None
    limit: Annotated[int, Query(ge=1, le=200)] = 50


class HistoryItem(Schema):
    """One kept answer."""

    id: int
    request_id: str
    position: int
    answered_at: str = Field(description="ISO 8601, UTC")
    source: Source
    dataset: str
    verdict: str
    label: str | None = Field(description="of a number its text, a line for each row")
    confidence: float
    milliseconds: float
    model_version: str
    model_sha256: str
    client: str = Field(description="a keyed hash that groups what came from one client")
    corrected: str | None
    image: str | None = Field(description="PNG of what the model saw, in base64; of a number a digit below another")


class HistoryAnswer(Schema):
    """A page of the history, newest first."""

    total: int = Field(description="kept answers that match")
    items: list[HistoryItem]
    next: int | None = Field(description="`before` of the next page; null on the last")


@router.get("/api/history")
async def history(services: ServicesDep, query: Annotated[HistoryQuery, Query()]) -> HistoryAnswer:
    """List kept answers, newest first. `next` of an answer is `before` of the next page. Times are ISO 8601."""
    if services.recorder is None:
        raise Refused(404, "history_off", "No history is kept here.", "DEMO_HISTORY=true keeps one.")
    fields = query.model_dump(exclude={"limit", "since", "until"})
    matching = AnswerFilter(since=_seconds(query.since), until=_seconds(query.until), **fields)
    entries, total = await services.database_calls.call(_search, services.recorder, matching, query.limit)
    following = entries[-1].id if len(entries) == query.limit else None
    return HistoryAnswer(total=total, items=[_item(entry) for entry in entries], next=following)


def _search(recorder: Recorder, matching: AnswerFilter, limit: int) -> tuple[list[Entry], int]:
    return recorder.history.search(matching, limit), recorder.history.count(matching)


def _item(entry: Entry) -> HistoryItem:
    image = pixels_to_png(entry.image, entry.dataset)
    changed = {
        "answered_at": iso_time(entry.answered_at, "milliseconds"),
        "label": entry.label or None,
        "image": None if image is None else base64.b64encode(image).decode(),
    }
    return HistoryItem(**vars(entry) | changed)


def _seconds(time: datetime | None) -> float | None:
    """Return seconds since 1970; a time without a zone is UTC."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
