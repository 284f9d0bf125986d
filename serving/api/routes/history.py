"""GET /api/history: past predictions, filtered and paged. For the operator."""

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request

from serving.api.deps import operator
from serving.api.schemas import DatasetName, HistoryAnswer, HistoryItem, Schema
from serving.core.errors import Refused
from serving.core.images import pixels_to_png
from serving.storage.records import AnswerFilter, Entry

if TYPE_CHECKING:
    from serving.services import Services

Text = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL
Id = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


class HistoryQuery(Schema):
    """Filters; what is left out is any."""

    verdict: Text = None
    label: Text = None
    source: Text = None
    dataset: DatasetName | None = None
    model_version: Text = None
    client: Text = None
    since: datetime | None = None
    until: datetime | None = None
    before: Id = None
    limit: Annotated[int, Query(ge=1, le=200)] = 50


def build(services: "Services") -> APIRouter:
    """The route."""
    router = APIRouter(tags=["history"])

    @router.get("/api/history")
    def history(request: Request, query: Annotated[HistoryQuery, Query()]) -> HistoryAnswer:
        """Kept answers, newest first. `next` of an answer is `before` of the next page. Times are ISO 8601."""
        operator(services, request)
        if services.recorder is None:
            raise Refused(404, "history_off", "No history is kept here.", "HISTORY=true keeps one.")
        kept = services.recorder.history
        fields = query.model_dump(exclude={"limit", "since", "until"})
        wanted = AnswerFilter(since=_seconds(query.since), until=_seconds(query.until), **fields)
        found = kept.search(wanted, query.limit)
        more = found[-1].id if len(found) == query.limit else None
        return HistoryAnswer(total=kept.count(wanted), items=[_item(entry) for entry in found], next=more)

    return router


def _item(entry: Entry) -> HistoryItem:
    image = pixels_to_png(entry.image, entry.dataset)
    return HistoryItem(
        id=entry.id or 0,
        request_id=entry.request_id,
        position=entry.position,
        answered_at=datetime.fromtimestamp(entry.answered_at, UTC).isoformat(timespec="milliseconds"),
        source=entry.source,  # type: ignore[arg-type]
        dataset=entry.dataset,
        verdict=entry.verdict,
        label=entry.label or None,
        confidence=entry.confidence,
        milliseconds=entry.milliseconds,
        model_version=entry.model_version,
        model_sha256=entry.model_sha256,
        client=entry.client,
        corrected=entry.corrected,
        image=None if image is None else base64.b64encode(image).decode(),
    )


def _seconds(time: datetime | None) -> float | None:
    """Without a zone a time is UTC."""
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
