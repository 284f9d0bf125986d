"""Writes the history beside the answers: queued in memory, and stored in batches twice a second."""

import collections
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from serving.core.guarded_calls import GuardedCalls, seconds_left
from serving.storage.database import Database
from serving.storage.records import Entry, StoreError
from settings import Settings

if TYPE_CHECKING:
    from serving.storage.history import History

INTERVAL = 0.5  # s between two batches; with the time to write one, a kill -9 loses less than a second's answers
BATCH = 1000  # entries of one transaction
MAX_PENDING = 50_000  # entries kept in memory while the database is away; then the oldest are dropped
LARGE = 4_096  # bytes of an image; more have only numbers, of which those of 50,000 would fill the memory
PURGE_INTERVAL = 600.0  # s
CHECK_INTERVAL = 5.0  # s without an answer to write until the database is asked whether it is there
WRITE_SECONDS = 15.0  # for one batch: a slow database, too, should get what is answered
PURGE_SECONDS = 60.0
END_SECONDS = 5.0  # for the last answers when the page stops


class Recorder:
    """Takes answers without waiting, and stores them from a thread of its own.

    The database is opened there too, so that a start does not wait for it; while it is away, answers stay in memory.
    """

    def __init__(
        self,
        calls: GuardedCalls,
        open_history: Callable[[], "History"],
        days: float,
        rows: int,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls, self._open_history, self._days, self._rows = calls, open_history, days, rows
        self._interval, self._clock = interval, clock
        self._pending: collections.deque[Entry] = collections.deque(maxlen=MAX_PENDING)
        self._being_written = 0
        self._writing, self._stopped = threading.Lock(), threading.Event()
        self._history: History | None = None
        self._error = ""
        self._purged_at = -math.inf  # not 0: the clock starts with the machine, which may have been a moment ago
        self._checked_at = -math.inf
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, settings: Settings, database: Database, calls: GuardedCalls) -> "Recorder | None":
        """Start the recorder of these settings; None where the history is off."""
        if not settings.history:
            return None

        def open_history() -> "History":
            from serving.storage.history import History  # needs SQLAlchemy, for which a start does not wait

            return History(database)

        return cls(calls, open_history, settings.history_days, settings.history_rows)

    @property
    def history(self) -> "History":
        """The history, opened if it is not open. Raises StoreError."""
        if self._history is None:
            self._history = self._open_history()
        return self._history

    @property
    def problem(self) -> str:
        """Why answers are not written at the moment; empty while they are."""
        return self._error

    def add(self, entries: Iterable[Entry]) -> None:
        """Queue these to be stored soon; large ones without their images while many wait."""
        for entry in entries:
            is_large = entry.image is not None and len(entry.image) > LARGE and len(self._pending) >= BATCH
            self._pending.append(replace(entry, image=None) if is_large else entry)

    def flush(self) -> None:
        """Store what is queued, now, in this thread."""
        while self._store_batch():
            pass

    def close(self) -> None:
        """Store what is queued and end; soon, even where the database hangs."""
        self._stopped.set()
        self._thread.join(END_SECONDS)
        if lost := len(self._pending) + self._being_written:
            logging.getLogger(__name__).error("The database is away, so %d answers are not in the history.", lost)

    def _store_batch(self) -> bool:
        """Store the oldest entries. Returns whether there were any."""
        if not self._writing.acquire(timeout=seconds_left()):
            raise StoreError("The history is being written.")
        try:
            history = self.history
            batch = [self._pending.popleft() for _ in range(min(BATCH, len(self._pending)))]
            if not batch:
                return False
            self._being_written = len(batch)
            try:
                history.add(batch)
            except BaseException:
                self._pending.extendleft(reversed(batch))
                raise
            finally:
                self._being_written = 0
        finally:
            self._writing.release()
        return True

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(self._interval)
            try:
                self._write()
                self._purge()
                error = ""
            except Exception as exception:  # whatever happens to a database, answering goes on
                error = str(exception).partition("\n")[0]
                if error != self._error and not isinstance(exception, StoreError):  # which is logged where it is raised
                    logging.getLogger(__name__).error("The history is not written, answers go on: %s", error)
            if self._error and not error:
                logging.getLogger(__name__).warning("The history is written again.")
            self._error = error

    def _write(self) -> None:
        """Store what is queued; now and then, and while the database is away, see whether it answers."""
        if self._pending or self._history is None:
            while self._calls.call_and_wait(self._store_batch, WRITE_SECONDS, always=True):
                self._checked_at = self._clock()
        elif self._calls.problem or self._clock() - self._checked_at > CHECK_INTERVAL:
            self._calls.call_and_wait(self._history.ping, always=True)
            self._checked_at = self._clock()

    def _purge(self) -> None:
        history = self._history
        if history is not None and self._clock() - self._purged_at > PURGE_INTERVAL:
            self._calls.call_and_wait(lambda: history.purge(self._days, self._rows), PURGE_SECONDS, always=True)
            self._purged_at = self._clock()
