"""Limits: a rate for each client, and requests and bytes at a time, for one client and for all together."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from weakref import WeakValueDictionary

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from serving.core.errors import Refused, too_large
from settings import Settings

KIB, MIB = 1024, 1024 * 1024


Kind = Literal["api", "page", "feedback", "upload"]


class RateLimits:
    """Rates of each client: predictions by page and by API, corrections, and KiB uploaded to the page. Counted in this
    process alone."""

    def __init__(self, settings: Settings) -> None:
        self._on = settings.rate_limit == "on"
        self._rates = {
            "api": parse(settings.rate_limit_api),
            "page": parse(settings.rate_limit_page),
            "feedback": parse(settings.rate_limit_feedback),
            "upload": parse(settings.rate_limit_upload),
        }
        self._texts = {kind: str(rate) for kind, rate in self._rates.items()}
        mib = self._rates["upload"]
        self._texts["upload"] = f"{mib.amount} MiB per {mib.multiples} {mib.GRANULARITY.name}"
        self._rates["upload"] = type(mib)(mib.amount * KIB, mib.multiples)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, kind: Kind, client: str, cost: int = 1) -> None:
        """Count `cost` requests or KiB of a client. Raises Refused 429 beyond its rate."""
        if self._on and not self._limiter.hit(self._rates[kind], kind, client, cost=cost):
            raise self._too_many(kind, client)

    def _too_many(self, kind: Kind, client: str) -> Refused:
        rate = self._rates[kind]
        wait = max(1, math.ceil(self._limiter.get_window_stats(rate, kind, client).reset_time - time.time()))
        return Refused(
            429, "too_many", f"More than {self._texts[kind]} came from you.", f"Try again in {wait} s.", wait
        )


class Budget:
    """A quantity of which there is only so much, and for one client at most half, so that others find some."""

    def __init__(self, most: int) -> None:
        self._most, self.used = most, 0
        self._by_client: Counter[str] = Counter()

    def take(self, client: str, count: int) -> None:
        """Raises Refused 503 where too little is left."""
        if self.used + count > self._most or self._by_client[client] + count > max(1, self._most // 2):
            raise overloaded()
        self.used += count
        self._by_client[client] += count

    def give_back(self, client: str, count: int) -> None:
        """Give back what was taken."""
        self.used -= count
        self._by_client[client] -= count
        if not self._by_client[client]:
            del self._by_client[client]


class Held:
    """What one request holds: its bytes as they arrive and, once they are there, a place among those answered."""

    def __init__(self, load: "Load", client: str) -> None:
        self._load, self._client = load, client
        self._places = self._bytes = 0

    def reserve(self, count: int) -> None:
        """Hold `count` more bytes. Raises Refused 503 when requests together, or the client's, would hold too many."""
        self._load.memory.take(self._client, count)
        self._bytes += count

    def enter(self) -> None:
        """Take a place, to be answered: a body that trickles in holds none. Raises Refused 503 when all are taken."""
        self._load.places.take(self._client, 1)
        self._places += 1

    def release(self) -> None:
        """Give up all that is held."""
        self._load.memory.give_back(self._client, self._bytes)
        self._load.places.give_back(self._client, self._places)
        self._places = self._bytes = 0


class Load:
    """The requests being answered, and the bytes of these and of those being read. For one event loop, unlocked."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.places, self.memory = Budget(max_requests), Budget(max_bytes)

    @contextmanager
    def request(self, client: str) -> Iterator[Held]:
        """Give what a client's request holds within the block: nothing at first."""
        held = Held(self, client)
        try:
            yield held
        finally:
            held.release()


class ClientLocks:
    """A lock for each client, where one client's work is done one at a time. For one event loop."""

    def __init__(self) -> None:
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def of(self, client: str) -> asyncio.Lock:
        """The client's lock, which is forgotten once nobody holds it."""
        return self._locks.setdefault(client, asyncio.Lock())


def check_size(size: int, megabytes: int, what: str) -> None:
    """Raises Refused 413 when `size` bytes exceed so many MiB."""
    if size > megabytes * MIB:
        raise too_large(what, f"{megabytes} MiB")


def overloaded() -> Refused:
    """More requests than can be answered now."""
    return Refused(503, "busy", "Too many requests are being answered.", "Try again in a second.", 1)
