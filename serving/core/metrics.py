"""Counts of requests and answers, for Prometheus, /api/stats and the Status tab."""

import collections
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from serving.core.last_hour import LastHour

RECENT = 5_000  # answers whose latency is remembered
PROBLEMS = 20  # shown on the Status tab
LABELS = ("dataset", "source", "verdict", "label")
Answered = tuple[str, str]
"""Verdict and label, "" for none."""
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)  # s


@dataclass(frozen=True)
class Problem:
    """A request that failed on this side."""

    at: float  # seconds since 1970
    request_id: str
    status: int
    message: str


@dataclass(frozen=True)
class Latency:
    """Percentiles of the last answers' milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float


class Tally:
    """The answers for one data set."""

    def __init__(self) -> None:
        self._recent: collections.deque[float] = collections.deque(maxlen=RECENT)  # ms
        self._minutes: collections.Counter[int] = collections.Counter()
        self.verdicts: collections.Counter[str] = collections.Counter()
        self.labels: collections.Counter[str] = collections.Counter()
        self.sources: collections.Counter[str] = collections.Counter()

    def add(self, source: str, verdict: str, labels: Sequence[str], milliseconds: float) -> None:
        """Count an answer, and each of its labels, "" for none."""
        self._recent.append(milliseconds)
        minute = int(time.monotonic() // 60)
        if minute not in self._minutes:
            self._minutes = collections.Counter({minute - 1: self._minutes[minute - 1]})
        self._minutes[minute] += 1
        self.verdicts[verdict] += 1
        self.sources[source] += 1
        self.labels.update(label for label in labels if label)

    def per_minute(self) -> int:
        """Answers of the last 60 s: this minute's and a share of the one before."""
        now = time.monotonic()
        minute, share = int(now // 60), 1 - now % 60 / 60
        return round(self._minutes.get(minute, 0) + share * self._minutes.get(minute - 1, 0))

    def latencies(self) -> Latency:
        """Return the percentiles of the last answers."""
        recent = list(self._recent)
        if not recent:
            return Latency(0, 0.0, 0.0, 0.0)
        return Latency(len(recent), *(round(float(value), 2) for value in np.percentile(recent, (50, 95, 99))))


class Metrics:
    """Counts since the start of the process. Thread-safe."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._registry = CollectorRegistry()
        self._requests = Counter("http_requests", "HTTP requests", ["route", "status"], registry=self._registry)
        self._answers = Counter("answers", "answers, a number's by its digits", LABELS, registry=self._registry)
        self._seconds = Histogram("answer_seconds", "s", LABELS[:2], buckets=BUCKETS, registry=self._registry)
        self._in_flight = Gauge("requests_in_flight", "API requests being read or answered", registry=self._registry)
        self._up = Gauge("dependency_up", "1 if it answered last, 0 if not", ["name"], registry=self._registry)
        self.tallies: collections.defaultdict[str, Tally] = collections.defaultdict(Tally)  # by data set
        self.problems: collections.deque[Problem] = collections.deque(maxlen=PROBLEMS)
        self.statuses: collections.Counter[str] = collections.Counter()
        self.last_hour = LastHour()

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def count_request(self, route: str, status: int) -> None:
        """Count an HTTP request."""
        self._requests.labels(route, str(status)).inc()
        self.statuses[str(status)] += 1
        self.last_hour.count_request(str(status))

    def count_answer(
        self, dataset: str, source: str, verdict: str, label: str, milliseconds: float, digits: Sequence[Answered] = ()
    ) -> None:
        """Count an answer to a picture. digits: of a number, each of which counts in place of its label."""
        for of_digit in digits or [(verdict, label)]:
            self._answers.labels(dataset, source, *of_digit).inc()
        self._seconds.labels(dataset, source).observe(milliseconds / 1000)
        self.last_hour.count_answer(milliseconds)
        self.tallies[dataset].add(source, verdict, [name for _, name in digits] or [label], milliseconds)

    def add_problem(self, request_id: str, status: int, message: str) -> None:
        """Remember a request that went wrong."""
        self.problems.append(Problem(time.time(), request_id, status, message))

    def exposition(self, in_flight: int, up: Mapping[str, bool]) -> bytes:
        """Return everything in Prometheus's text format. up: whether the database and the registry answer."""
        self._in_flight.set(in_flight)
        for name, answers in up.items():
            self._up.labels(name).set(answers)
        return generate_latest(self._registry)
