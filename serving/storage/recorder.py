"""Writes the history beside the answers: queued in memory, and stored in batches twice a second."""

import collections
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from serving.storage.database import Database
from serving.storage.records import Entry, StoreError
from settings import Settings

if TYPE_CHECKING:
    from serving.storage.history import History

INTERVAL = 0.5  # s between two batches; with the time to write one, a kill -9 loses less than a second's answers
BATCH = 1000  # entries of one transaction
MAX_PENDING = 50_000  # entries kept in memory while the database is away; then the oldest are dropped
PURGE_INTERVAL = 600.0  # s


class Recorder:
    """Takes answers without waiting, and stores them from a thread of its own.

    The database is opened there too, so that a start does not wait for it; while it is away, answers stay in memory.
    """

    def __init__(
        self,
        open_history: Callable[[], "History"],
        days: float,
        rows: int,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_history, self._days, self._rows = open_history, days, rows
        self._interval, self._clock = interval, clock
        self._pending: collections.deque[Entry] = collections.deque(maxlen=MAX_PENDING)
        self._writing, self._stopped = threading.Lock(), threading.Event()
        self._history: History | None = None
        self._error = ""
        self._purged_at = -math.inf  # not 0: the clock starts with the machine, which may have been a moment ago
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, settings: Settings, database: Database) -> "Recorder | None":
        """Start the recorder of these settings; None where the history is off."""
        if not settings.history:
            return None

        def open_history() -> "History":
            from serving.storage.history import History  # needs SQLAlchemy, for which a start does not wait

            return History(database)

        return cls(open_history, settings.history_days, settings.history_rows)

    @property
    def history(self) -> "History":
        """The history. Raises StoreError while it is not open."""
        if self._history is None:
            raise StoreError(self._error or "The history is being opened. Try again in a moment.")
        return self._history

    def add(self, entries: Iterable[Entry]) -> None:
        """Queue these to be stored soon."""
        self._pending.extend(entries)

    def flush(self) -> None:
        """Store what is queued, now."""
        with self._writing:
            if self._history is None:
                self._history = self._open_history()
            while self._pending:
                batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
                try:
                    self._history.add(batch)
                except Exception:
                    self._pending.extendleft(reversed(batch))
                    raise

    def close(self) -> None:
        """Store what is queued and end."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(self._interval)
            try:
                self.flush()
                self._purge()
                error = ""
            except Exception as exception:  # whatever happens to a database, answering goes on
                error = str(exception).partition("\n")[0]
                if error != self._error:  # once, not twice a second
                    logging.getLogger(__name__).error("The history is not written, answers go on: %s", error)
            self._error = error

    def _purge(self) -> None:
        if self._history is not None and self._clock() - self._purged_at > PURGE_INTERVAL:
            self._history.purge(self._days, self._rows)
            self._purged_at = self._clock()
