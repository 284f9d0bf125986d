"""Limits: a rate for each client, and requests and bytes at a time for all clients together."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from serving.core.errors import Refused, too_large
from settings import Settings

MIB = 1024 * 1024


class RateLimits:
    """Rates of each client: predictions by page and by API, and corrections. Counted in this process alone."""

    def __init__(self, settings: Settings) -> None:
        self._on = settings.rate_limit == "on"
        self._rates = {
            "api": parse(settings.rate_limit_api),
            "page": parse(settings.rate_limit_page),
            "feedback": parse(settings.rate_limit_feedback),
        }
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def admit(self, kind: Literal["api", "page", "feedback"], client: str, cost: int = 1) -> None:
        """Count `cost` requests of a client. Raises Refused 429 beyond its rate."""
        rate = self._rates[kind]
        if not self._on or self._limiter.hit(rate, kind, client, cost=cost):
            return
        wait = max(1, math.ceil(self._limiter.get_window_stats(rate, kind, client).reset_time - time.time()))
        raise Refused(429, "too_many", f"More than {rate} came from you.", f"Try again in {wait} s.", wait)


class Slot:
    """The bytes that one request holds."""

    def __init__(self, load: "Load") -> None:
        self._load, self._bytes = load, 0

    def reserve(self, count: int) -> None:
        """Hold `count` more bytes. Raises Refused 503 when all requests together would hold too many."""
        if self._load.bytes + count > self._load.max_bytes:
            raise overloaded()
        self._load.bytes += count
        self._bytes += count

    def release(self) -> None:
        """Give up all bytes held."""
        self._load.bytes -= self._bytes
        self._bytes = 0


class Load:
    """The requests being read or answered, and the bytes they hold. For one event loop, without locks."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        self.max_requests, self.max_bytes = max_requests, max_bytes
        self.requests = self.bytes = 0

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Count as one request within the block. Raises Refused 503 when there are too many."""
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
    """Raises Refused 413 when `size` bytes exceed so many MiB."""
    if size > megabytes * MIB:
        raise too_large(what, f"{megabytes} MiB")


def overloaded() -> Refused:
    """More requests than can be answered now."""
    return Refused(503, "busy", "Too many requests are being answered.", "Try again in a second.", 1)
