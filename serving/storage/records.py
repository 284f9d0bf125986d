"""What is kept of answers and corrections, and how it is asked for. Without a database library: pages start on this."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

RetrainingState = Literal[
    "starting", "preparing", "training", "measuring", "deciding", "promoted", "refused", "failed", "cancelled"
]
CANCELLABLE = ("starting", "preparing", "training", "measuring")
ACTIVE = (*CANCELLABLE, "deciding")
HEARTBEAT_TIMEOUT = 30.0  # s without a sign of life, after which a retraining has failed
MAX_REASON = 500  # characters


class StoreError(RuntimeError):
    """The history can't be used; the text says why and what to do."""


Source = Literal["page", "api", "batch"]
"""Where a prediction was asked for."""

FORMER_REJECTED = "not_a_digit"
"""Name of the verdict "rejected" in earlier versions; a replica of one may still write it into a shared database."""


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


ENTRY_FIELDS = [each.name for each in fields(Entry) if each.name != "id"]


@dataclass(frozen=True)
class AnswerFilter:
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


ReviewState = Literal["pending", "accepted", "dropped"]


@dataclass(frozen=True)
class Correction:
    """What someone says an image shows. `given` and `confidence`: what the model had said of it."""

    dataset: str
    source: str  # page, api or upload
    client: str  # a keyed hash
    request_id: str  # of the answer, or of the upload
    position: int  # within a batch or upload, else 0
    model_version: str
    given: str  # empty when no label was given
    confidence: float  # 0 to 1
    proposed: str  # label as it was sent
    image: bytes  # uint8 [H, W, C] of the data set
    drawing: bytes | None = None  # PNG of what was drawn or sent
    state: ReviewState = "pending"
    made_at: float = field(default_factory=time.time)  # seconds since 1970, UTC
    label: str = ""  # that holds now; empty: as proposed
    id: int | None = None  # given by the store


@dataclass(frozen=True)
class CorrectionFilter:
    """Which corrections are meant; None is any."""

    dataset: str
    state: ReviewState | None = None
    label: str | None = None
    client: str | None = None
    given: str | None = None
    ids: Sequence[int] | None = None
    above: float | None = None  # only those of an answer with at least this confidence
    changed: bool = False  # only those whose label is not the given one
    before: int | None = None  # only those with a lower id, for the next page


def image_digest(image: bytes) -> str:
    """By which the same image is known again: SHA-256, in hexadecimal."""
    return hashlib.sha256(image).hexdigest()


def digest_prefix(image: bytes) -> int:
    """The first 64 bits of the digest, by which many are compared at once."""
    return int(image_digest(image)[:16], 16)


@dataclass(frozen=True)
class ProductionEntry:
    """A line of the Production log. `until`: when the next version took over; None of the present one."""

    dataset: str
    version: str
    run_id: str
    at: float  # seconds since 1970, UTC
    until: float | None
    by: str  # gate, hand, rollback or start
    reason: str
    data_digest: str
    corrections: int


@dataclass(frozen=True)
class Retraining:
    """One retraining, going on or over. Times are seconds since 1970, UTC."""

    id: int
    dataset: str
    state: RetrainingState
    started_at: float
    seen_at: float
    ended_at: float | None
    progress: float  # 0 to 1
    remaining: float | None  # s, estimated
    corrections: int
    epochs: list[dict[str, float]]  # of each finished one: loss, accuracy, val_loss, val_accuracy, epoch, epochs
    log: list[str]
    reason: str
    version: str  # that came of it, empty if none
    run_id: str
    differences: list[dict[str, Any]]  # the gate's table, as experiments.evaluation.comparison.Difference has it
    cancelled: bool

    @property
    def is_active(self) -> bool:
        """Whether it is not over."""
        return self.state in ACTIVE


class BusyError(RuntimeError):
    """Another retraining is going on."""

    def __init__(self, retraining_id: int) -> None:
        super().__init__(f"Retraining {retraining_id} is going on. One runs at a time: wait for it, or cancel it.")
        self.retraining_id = retraining_id


class AbandonedError(RuntimeError):
    """A retraining was given up by others, since nothing was heard of it."""
