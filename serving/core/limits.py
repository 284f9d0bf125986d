"""How much is taken: a rate for each client, and for all of them together requests and bytes at a time."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from serving.core.errors import Refused, too_large

if TYPE_CHECKING:
    from settings import Settings

MIB = 1024 * 1024


class RateLimits:
    """So many predictions a client and period, of page and API apart, and corrections; counted in this process."""

    def __init__(self, settings: "Settings") -> None:
        from limits import parse
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        self._on = settings.rate_limit == "on"
        self._rates = {
            "api": parse(settings.rate_limit_api),
            "page": parse(settings.rate_limit_page),
            "feedback": parse(settings.rate_limit_feedback),
        }
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, kind: Literal["api", "page", "feedback"], client: str, cost: int = 1) -> None:
        """Count `cost` of a client. Raises Refused 429 when it has had its share."""
        rate = self._rates[kind]
        if not self._on or self._limiter.hit(rate, kind, client, cost=cost):
            return
        wait = max(1, math.ceil(self._limiter.get_window_stats(rate, kind, client).reset_time - time.time()))
        raise Refused(429, "too_many", f"More than {rate} came from you.", f"Try again in {wait} s.", wait)


class Slot:
    """One request's share of the load."""

    def __init__(self, load: "Load") -> None:
        self._load, self._bytes = load, 0

    def reserve(self, count: int) -> None:
        """Hold `count` more bytes. Raises Refused 503 when all requests together hold too many."""
        if self._load.bytes + count > self._load.max_bytes:
            raise overloaded()
        self._load.bytes += count
        self._bytes += count

    def release(self) -> None:
        """Let go of the bytes."""
        self._load.bytes -= self._bytes
        self._bytes = 0


class Load:
    """The requests that are being read or answered, and the bytes they hold. For one event loop, without locks."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.max_requests, self.max_bytes = max_requests, max_bytes
        self.requests = self.bytes = 0

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Be one of the requests. Raises Refused 503 when there are too many."""
        if self.requests >= self.max_requests:
            raise overloaded()
        self.requests += 1
        slot = Slot(self)
        try:
            yield slot
        finally:
            self.requests -= 1
            slot.release()


def check_size(size: int, megabytes: int, what: str = "The body") -> None:
    """Raises Refused 413 when `size` bytes are more than so many MiB."""
    if size > megabytes * MIB:
        raise too_large(what, f"{megabytes} MiB")


def overloaded() -> Refused:
    """More than can be answered now."""
    return Refused(503, "busy", "Too many requests are being answered.", "Try again in a second.", 1)
