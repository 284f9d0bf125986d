"""What the history keeps of an answer, and how it is asked for. Without a database library: pages start on this."""

from dataclasses import dataclass, fields


class StoreError(RuntimeError):
    """The history can't be used; the text says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One answered prediction, as it is kept."""

    request_id: str
    position: int  # within a batch, else 0
    answered_at: float  # seconds since 1970, UTC
    source: str  # page, api or batch
    dataset: str
    verdict: str
    label: str  # empty when none was given
    confidence: float  # 0 to 1
    milliseconds: float
    model_version: str
    model_sha256: str
    client: str  # a keyed hash
    image: bytes | None  # uint8 [H, W, C] of the data set
    corrected: str | None = None
    id: int | None = None  # given by the store


KEPT = [field.name for field in fields(Entry) if field.name != "id"]


@dataclass(frozen=True)
class Filter:
    """Which entries to show; None is any. `before`: only those with a lower id, for the next page."""

    verdict: str | None = None
    label: str | None = None
    source: str | None = None
    dataset: str | None = None
    model_version: str | None = None
    client: str | None = None
    since: float | None = None  # seconds since 1970
    until: float | None = None
    before: int | None = None
