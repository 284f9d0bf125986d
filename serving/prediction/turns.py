"""Whose picture is decoded next: large ones apart from small ones, and clients by turns."""

import collections
import hashlib
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.preprocessing.decoding import pixel_count
from experiments.preprocessing.formats import format_of
from experiments.preprocessing.headers import SCAN
from serving.core.errors import Refused
from serving.prediction.prepare import Outcome, Sheets, Wanted

if TYPE_CHECKING:
    import asyncio

LARGE_PIXELS = 4_000_000  # a fifth of a second of work at most
LARGE_BYTES = 1024 * 1024
CHEAP = ("PNG", "WebP")  # formats that take as long as their pixels tell
USUAL_SCANS = 12  # of a progressive JPEG, beyond which it is dearer than its pixels tell
MAX_WAITING = 256  # work items of one client
REMEMBERED = 1000  # pictures that ended a worker
FORGOTTEN_AFTER = 3600.0  # s


@dataclass(eq=False)
class WorkItem:
    """Pictures of one client to be prepared by one worker."""

    wanted: Wanted
    pictures: Sequence[Sheets]
    client: str
    future: "asyncio.Future[list[Outcome]]"
    bulk: bool = False  # of a batch
    queued_at: float = field(default_factory=time.monotonic)  # s
    outcomes: dict[int, Outcome] = field(default_factory=dict)  # by position

    def __post_init__(self) -> None:
        self.large = is_large(self.pictures)

    @property
    def left(self) -> list[int]:
        """Positions of the pictures without an outcome."""
        return [position for position in range(len(self.pictures)) if position not in self.outcomes]

    def settle(self, position: int, outcome: Outcome) -> None:
        """Take the outcome of a picture."""
        self.outcomes[position] = outcome
        if len(self.outcomes) == len(self.pictures) and not self.future.done():  # the client may have left
            self.future.set_result([self.outcomes[each] for each in range(len(self.pictures))])


def is_large(pictures: Sequence[Sheets]) -> bool:
    """Whether they, together, may take long, by their size and headers."""
    size = pixels = 0
    for sheet in itertools.chain.from_iterable(pictures):
        size += len(sheet)
        pixels += pixel_count(sheet)
        if size > LARGE_BYTES or pixels > LARGE_PIXELS or _is_unusual(sheet):
            return True
    return False


def _is_unusual(data: bytes) -> bool:
    """Whether it may take long whatever its pixels."""
    known = format_of(data)
    if known is None or known.name in CHEAP:
        return False
    return known.name != "JPEG" or data.count(SCAN) > USUAL_SCANS


class Turns:
    """The work that waits. In each of its queues the client who has waited longest since his last turn is next."""

    def __init__(self) -> None:
        self._queues = {lane: _ClientQueue() for lane in itertools.product((False, True), repeat=2)}  # large, bulk
        self._turn, self._large_first = 0, False

    def add(self, item: WorkItem) -> None:
        """Raises Refused when too much of the client's work waits."""
        if sum(queue.waiting(item.client) for queue in self._queues.values()) >= MAX_WAITING:
            raise Refused(429, "too_many", "Too many of your pictures are waiting.", "Try again in a second.", 1)
        self._queues[item.large, item.bulk].append(item)

    def put_back(self, item: WorkItem) -> None:
        """Have an item be its client's next."""
        self._queues[item.large, item.bulk].prepend(item)

    def next(self, large: bool) -> WorkItem | None:
        """Take the next item; large: whether it may be a large one. Large and small ones alternate then, and of every
        four items one may be a batch's while single pictures wait."""
        self._turn += 1
        self._large_first ^= large
        lanes = (self._large_first, not self._large_first) if large else (False,)
        kinds = (True, False) if self._turn % 4 == 0 else (False, True)
        for lane in itertools.product(lanes, kinds):
            while item := self._queues[lane].take():
                if not item.future.done():  # done: the client has left or was refused
                    return item
        return None

    @property
    def large_waiting(self) -> bool:
        """Whether a large item waits."""
        return bool(self._queues[True, False] or self._queues[True, True])

    def __bool__(self) -> bool:
        return any(self._queues.values())

    def __iter__(self) -> Iterator[WorkItem]:
        return itertools.chain.from_iterable(self._queues.values())


class _ClientQueue:
    """Work items by client, who are served in turn."""

    def __init__(self) -> None:
        self._clients: collections.OrderedDict[str, collections.deque[WorkItem]] = collections.OrderedDict()

    def append(self, item: WorkItem) -> None:
        self._clients.setdefault(item.client, collections.deque()).append(item)

    def prepend(self, item: WorkItem) -> None:
        self._clients.setdefault(item.client, collections.deque()).appendleft(item)
        self._clients.move_to_end(item.client, last=False)

    def take(self) -> WorkItem | None:
        """The first item of the next client, who is then the last."""
        if not self._clients:
            return None
        client, items = self._clients.popitem(last=False)
        item = items.popleft()
        if items:
            self._clients[client] = items
        return item

    def waiting(self, client: str) -> int:
        return len(self._clients.get(client, ()))

    def __bool__(self) -> bool:
        return bool(self._clients)

    def __iter__(self) -> Iterator[WorkItem]:
        return itertools.chain.from_iterable(self._clients.values())


class Killers:
    """Pictures that ended a worker, by their SHA-256, so that none is tried again for a while."""

    def __init__(self, most: int = REMEMBERED, seconds: float = FORGOTTEN_AFTER) -> None:
        self._most, self._seconds = most, seconds
        self._known: collections.OrderedDict[bytes, float] = collections.OrderedDict()  # when, monotonic s

    def add(self, sheets: Sheets) -> None:
        """Remember one; the oldest is forgotten when there are too many."""
        self._known[_digest(sheets)] = time.monotonic()
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def __contains__(self, sheets: Sheets) -> bool:
        since = self._known.get(_digest(sheets)) if self._known else None
        return since is not None and time.monotonic() - since < self._seconds


def _digest(sheets: Sheets) -> bytes:
    digest = hashlib.sha256()
    for sheet in sheets:
        digest.update(hashlib.sha256(sheet).digest())
    return digest.digest()
