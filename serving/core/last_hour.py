"""The last hour of this process by minute, for the plots of the Status tab."""

import collections
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MINUTES = 60
STEP = math.log(1.1)  # of a latency: percentiles are right to a tenth


@dataclass
class Minute:
    """What was counted in a minute. start: seconds since 1970."""

    start: int
    statuses: collections.Counter[str] = field(default_factory=collections.Counter)
    latencies: collections.Counter[int] = field(default_factory=collections.Counter)  # by logarithmic step

    def percentile(self, share: float) -> float | None:
        """Milliseconds within which this share of the answers was given, 0 to 1; None without answers."""
        counts = sorted(self.latencies.items())
        left = share * sum(count for _, count in counts)
        for step, count in counts:
            left -= count
            if left <= 0:
                return math.exp(step * STEP)
        return None


class LastHour:
    """A ring of the minutes in which something was counted. Counting costs a microsecond and never waits."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ring: collections.deque[Minute] = collections.deque(maxlen=MINUTES)

    def count_request(self, status: str) -> None:
        """Count a request."""
        self._now().statuses[status] += 1

    def count_answer(self, milliseconds: float) -> None:
        """Count an answer."""
        self._now().latencies[round(math.log(max(milliseconds, 0.01)) / STEP)] += 1

    def minutes(self) -> list[Minute]:
        """Every minute of the last hour, the present one last; those without anything are empty. Copies, since other
        threads go on counting."""
        present = int(self._clock() // 60) * 60
        kept = {minute.start: minute for minute in list(self._ring)}
        return [_copy(kept.get(start), start) for start in range(present - 60 * (MINUTES - 1), present + 60, 60)]

    def _now(self) -> Minute:
        start = int(self._clock() // 60) * 60
        if not self._ring or self._ring[-1].start != start:
            self._ring.append(Minute(start))
        return self._ring[-1]


def _copy(minute: Minute | None, start: int) -> Minute:
    return Minute(start, minute.statuses.copy(), minute.latencies.copy()) if minute else Minute(start)
