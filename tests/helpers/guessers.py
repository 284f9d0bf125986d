"""Guessers of a key or login, from one address or from many, and an operator who wants in meanwhile."""

import base64
import http.client
import itertools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

KEY, NAME, PASSWORD = "operator key of the guessed page", "ann", "password of the guessed page"
PROXY = "127.0.0.1"  # trusted: it says who asks
THREADS = 80  # tries at a time: more than may wait for their turn
FORM = "application/x-www-form-urlencoded"
ONE_ADDRESS = ["203.0.113.7"]
MANY_ADDRESSES = [f"203.{network % 100}.{network // 100}.{host}" for host in range(5) for network in range(300)]
Request = tuple[str, str, bytes | None, dict[str, str]]
"""Method, path, body and headers."""


def by_key(secret: str) -> Request:
    """A request of the operator's by a key."""
    return "GET", "/api/stats", None, {"X-API-Key": secret}


def by_basic(secret: str) -> Request:
    """By HTTP Basic."""
    return (
        "GET",
        "/api/stats",
        None,
        {"Authorization": f"Basic {base64.b64encode(f'{NAME}:{secret}'.encode()).decode()}"},
    )


def by_form(secret: str) -> Request:
    """By the login of the page."""
    return "POST", "/login", f"username={NAME}&password={secret}".encode(), {"Content-Type": FORM}


def send(connection: http.client.HTTPConnection, request: Request, address: str) -> http.client.HTTPResponse:
    """Ask as a proxy does for a client at this address; the answer is read."""
    method, path, body, headers = request
    connection.request(method, path, body, headers | {"X-Forwarded-For": address})
    reply = connection.getresponse()
    reply.read()
    return reply


class Guessers:
    """Within the block they send one wrong secret after another, each from the next address; at most so many `tries`.
    `statuses` counts the answers, `seconds` is how long they went on."""

    def __init__(
        self, url: str, addresses: Sequence[str], way: Callable[[str], Request], tries: int | None = None
    ) -> None:
        self._netloc, self._way = urlsplit(url).netloc, way
        self._addresses = itertools.cycle(addresses)
        self._name = secrets.token_hex(4)  # what was wrong before is not tried again
        self._numbers = iter(range(tries)) if tries else itertools.count()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(THREADS)]
        self.statuses, self.seconds = Counter[int](), 0.0

    def __enter__(self) -> "Guessers":
        self._begin = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self.join()

    def join(self) -> None:
        """Wait until all tries are answered."""
        for thread in self._threads:
            thread.join()
        self.seconds = self.seconds or time.monotonic() - self._begin

    @property
    def compared(self) -> int:
        """How many tries were compared, and found wrong."""
        return self.statuses[401] + self.statuses[400]

    def _run(self) -> None:
        connection = http.client.HTTPConnection(self._netloc, timeout=60, source_address=(PROXY, 0))
        while not self._ended.is_set():
            with self._lock:
                number, address = next(self._numbers, None), next(self._addresses)
            if number is None:
                break
            status = send(connection, self._way(f"wrong {self._name} {number}"), address).status
            with self._lock:
                self.statuses[status] += 1
        connection.close()


def seconds_until_in(url: str, request: Request, address: str, patience: float = 60.0) -> float:
    """How long somebody takes who has the right one and comes again when told to. Raises TimeoutError."""
    begin = time.monotonic()
    while (seconds := time.monotonic() - begin) < patience:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60, source_address=(PROXY, 0))
        reply = send(connection, request, address)
        connection.close()
        if reply.status in (200, 303):
            return time.monotonic() - begin
        if reply.status != 429:
            raise ValueError(reply.status)
        time.sleep(int(reply.headers["Retry-After"]))
    raise TimeoutError(f"not in after {seconds:.0f} s")
