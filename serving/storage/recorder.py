"""Writes the history beside the answers: they are handed over in memory and stored in batches twice a second."""

import collections
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from serving.storage.database import Database
from serving.storage.records import Entry, StoreError

if TYPE_CHECKING:
    from serving.storage.history import History
    from settings import Settings

INTERVAL = 0.5  # s between two batches; with the time to write one, what a kill -9 loses is less than a second's
BATCH = 1000  # entries of one transaction
WAITING = 50_000  # entries kept in memory while the database is away; then the oldest are dropped
PURGE_EVERY = 600.0  # s


class Recorder:
    """Takes answers without ever waiting, and stores them from a thread of its own.

    The database is opened there too, so that a start does not wait for it; while it is away, answers wait in memory.
    """

    def __init__(
        self,
        open_history: Callable[[], "History"],
        days: float,
        rows: int,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._days, self._rows = open_history, days, rows
        self._interval, self._clock = interval, clock
        self._waiting: collections.deque[Entry] = collections.deque(maxlen=WAITING)
        # Minus infinity, since the clock starts with the machine, which may have done so a moment ago.
        self._stop, self._complaint, self._purged = threading.Event(), "", -math.inf
        self._writing = threading.Lock()
        self._history: History | None = None
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    @property
    def history(self) -> "History":
        """The store. Raises StoreError while it is not open."""
        if self._history is None:
            raise StoreError(self._complaint or "The history is being opened. Try again in a moment.")
        return self._history

    def add(self, entries: Iterable[Entry]) -> None:
        """Have these stored soon."""
        self._waiting.extend(entries)

    def flush(self) -> None:
        """Store what waits, now."""
        with self._writing:
            self._write()

    def close(self) -> None:
        """Store what waits and end."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(self._interval)
            try:
                self.flush()
                self._purge()
                self._complaint = ""
            except Exception as error:  # whatever a database goes through, answering goes on
                self._complain(str(error).partition("\n")[0])

    def _write(self) -> None:
        if self._history is None:
            self._history = self._open()
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                self._history.add(batch)
            except Exception:
                self._waiting.extendleft(reversed(batch))
                raise

    def _purge(self) -> None:
        if self._history is not None and self._clock() - self._purged > PURGE_EVERY:
            self._history.purge(self._days, self._rows)
            self._purged = self._clock()

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:  # once, not twice a second
            logging.getLogger(__name__).error("The history is not written, answers go on: %s", complaint)
        self._complaint = complaint


def open_recorder(settings: "Settings", database: Database) -> Recorder | None:
    """The recorder of these settings; None where the history is switched off."""
    if not settings.history:
        return None
    return Recorder(lambda: _open(database), settings.history_days, settings.history_rows)


def _open(database: Database) -> "History":
    from serving.storage.history import History

    return History(database)
