"""Records of the database and their filters, as plain dataclasses: the page imports these without SQLAlchemy."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from serving.core.errors import Refused

Source = Literal["page", "api", "batch"]
"""Where a prediction was asked for."""
ReviewState = Literal["pending", "accepted", "dropped"]
RetrainingState = Literal[
    "queued", "starting", "preparing", "training", "measuring", "deciding",
    "promoted", "refused", "failed", "cancelled",
]  # fmt: skip
CANCELLABLE = ("queued", "starting", "preparing", "training", "measuring")
HEARTBEAT_TIMEOUT = 30.0  # s without a heartbeat after which a retraining is begun again
MAX_ATTEMPTS = 3  # of a retraining, whose process may die twice
MAX_REASON = 500  # characters
LABEL_LENGTH = 300  # characters of a label: 200 digits in 100 rows
FORMER_REJECTED = "not_a_digit"
"""Former name of the verdict "rejected". Replicas of earlier versions may still write it into a shared database."""


class StoreError(RuntimeError):
    """The history can't be used; the text says why and what to do."""


class FullError(Refused):
    """The disk of the database has no room for what was to be kept; it answers all the same."""

    def __init__(self) -> None:
        message = "The disk of the history is full, so this was not kept; predictions go on."
        super().__init__(507, "no_room", message, "Try again once there is room on it.")


class BusyError(RuntimeError):
    """Another retraining of the data set is active."""

    def __init__(self, retraining_id: int) -> None:
        rule = "A data set has one at a time: wait for it, or cancel it."
        super().__init__(f"Retraining {retraining_id} is going on. {rule}")
        self.retraining_id = retraining_id


class AbandonedError(RuntimeError):
    """A retraining was taken from this process, after its heartbeats ceased."""


@dataclass(frozen=True)
class Entry:
    """One answer of the history."""

    request_id: str
    position: int  # within a batch, else 0
    answered_at: float  # seconds since 1970, UTC
    source: Source
    dataset: str
    verdict: str
    label: str  # empty when none was named; of a number its text, a line for each row
    confidence: float  # 0 to 1
    milliseconds: float
    model_version: str
    model_sha256: str
    client: str  # a keyed hash
    image: bytes | None  # uint8 [H, W, C] of the data set; of a number [N * H, W, C], its digits' one below another
    corrected: str | None = None  # the right label, when someone gave another than the answer's
    id: int | None = None  # given by the database


@dataclass(frozen=True)
class AnswerFilter:
    """Which answers are meant; None is any."""

    verdict: str | None = None
    label: str | None = None
    source: str | None = None
    dataset: str | None = None
    model_version: str | None = None
    client: str | None = None
    since: float | None = None  # seconds since 1970
    until: float | None = None
    before: int | None = None  # only those with a lower id, for the next page


@dataclass(frozen=True)
class Correction:
    """What someone says an image shows, beside the answer of the model."""

    dataset: str
    source: Literal["page", "api", "upload"]
    client: str  # a keyed hash
    request_id: str  # of the answer, or of the upload
    position: int  # within a batch or upload, else 0
    model_version: str
    given: str  # label of the answer, empty when none was named
    confidence: float  # of the answer, 0 to 1
    proposed: str  # label as it was sent
    image: bytes  # uint8 [H, W, C] of the data set
    drawing: bytes | None = None  # PNG of what was drawn or sent
    state: ReviewState = "pending"
    made_at: float = field(default_factory=time.time)  # seconds since 1970, UTC
    label: str = ""  # after the review; empty: as proposed
    network: str = ""  # a keyed hash; empty where it does not count against a network's share: an upload, an old row
    asked_at: float | None = None  # when the operator was asked whether the label is right, seconds since 1970
    confirmed_at: float | None = None  # when the operator said that it is
    id: int | None = None  # given by the database


@dataclass(frozen=True)
class SharedAnswer:
    """An answer of the history that its owner shares by a link."""

    token: str  # the secret part of the link
    request_id: str  # of the answer
    shared_at: float  # seconds since 1970, UTC
    client: str  # a keyed hash
    network: str  # likewise
    drawing: bytes  # WebP


@dataclass(frozen=True)
class CorrectionFilter:
    """Which corrections are meant; None is any."""

    dataset: str
    state: ReviewState | None = None
    label: str | None = None
    client: str | None = None
    network: str | None = None
    given: str | None = None
    ids: Sequence[int] | None = None
    above: float | None = None  # only those of an answer with at least this confidence
    changed: bool = False  # only those whose label differs from the answer's
    unanswered: bool = False  # only those that the operator was asked about and has not confirmed
    since: float | None = None  # only those made, reviewed or answered for later, seconds since 1970
    before: int | None = None  # only those with a lower id, for the next page


def image_digest(image: bytes) -> str:
    """SHA-256 in hexadecimal, by which the same image is recognised."""
    return hashlib.sha256(image).hexdigest()


def digest_prefix(image: bytes) -> int:
    """The first 64 bits of the digest, by which many images are compared at once."""
    return int(image_digest(image)[:16], 16)


@dataclass(frozen=True)
class ProductionEntry:
    """One version's time in Production."""

    dataset: str
    version: str
    run_id: str
    at: float  # seconds since 1970, UTC
    until: float | None  # when the next version took over; None for the present one
    by: str  # gate, hand, rollback or start
    reason: str
    data_digest: str
    corrections: int


@dataclass(frozen=True)
class Retraining:
    """One retraining, active or over. Times are seconds since 1970, UTC."""

    id: int
    dataset: str
    state: RetrainingState
    started_at: float
    seen_at: float  # last heartbeat
    ended_at: float | None
    progress: float  # 0 to 1
    remaining: float | None  # s, estimated
    corrections: int
    epochs: list[dict[str, Any]]  # of each finished one, an experiments.training.progress.Epoch as JSON
    log: list[str]
    reason: str
    version: str  # the registered result, empty if none
    run_id: str
    differences: list[dict[str, Any]]  # the gate's table, of experiments.evaluation.comparison.Difference as JSON
    cancelled: bool
    attempts: int = 1  # how often it was begun

    @property
    def is_active(self) -> bool:
        """Whether it is not over."""
        return self.state in (*CANCELLABLE, "deciding")

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a trainer, for the first time or after its process was lost."""
        return self.state == "queued" or (self.is_active and self.seen_at < time.time() - HEARTBEAT_TIMEOUT)
