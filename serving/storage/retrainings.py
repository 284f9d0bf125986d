"""The retrainings in the database, one at a time whichever process, replica or machine starts it."""

import time
from typing import Any

import sqlalchemy as sa

from serving.storage.database import Database
from serving.storage.records import (
    CANCELLABLE,
    HEARTBEAT_TIMEOUT,
    AbandonedError,
    BusyError,
    Retraining,
    RetrainingState,
)
from serving.storage.tables import retrainings

COLUMNS = [column for column in retrainings.c if column.name != "active"]
EMPTY = {"cancelled": False, "progress": 0.0, "epochs": [], "log": [], "reason": "", "version": "", "run_id": ""}


class Retrainings:
    """Safe to use from any thread. One row at most is active, which the database itself sees to."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def claim(self, dataset: str, corrections: int) -> Retraining:
        """A new retraining, if none is going on. Raises BusyError."""
        self._give_up_silent()
        now = time.time()
        row = {"dataset": dataset, "state": "starting", "started_at": now, "seen_at": now, "corrections": corrections}
        insert = sa.insert(retrainings).values(active=1, differences=[], **row, **EMPTY).returning(*COLUMNS)
        try:
            with self._engine.begin() as connection:
                return Retraining(**connection.execute(insert).mappings().one())
        except sa.exc.IntegrityError:
            with self._engine.connect() as connection:
                active = connection.execute(sa.select(retrainings.c.id).where(retrainings.c.active == 1)).scalar()
            raise BusyError(active or 0) from None

    def heartbeat(self, job: int, **seen: Any) -> bool:
        """A sign of life, with what is new. Returns whether the job is asked to end. Raises AbandonedError."""
        update = self._of(job).values(seen_at=time.time(), **seen).returning(retrainings.c.cancelled)
        with self._engine.begin() as connection:
            cancelled = connection.execute(update).scalar()
        if cancelled is None:
            raise AbandonedError(f"Retraining {job} was given up: no heartbeat for {HEARTBEAT_TIMEOUT:.0f} s.")
        return cancelled

    def begin_decision(self, job: int) -> bool:
        """Whether the job may go on to its decision; from then on it can't be cancelled."""
        update = self._of(job).where(~retrainings.c.cancelled).values(state="deciding", seen_at=time.time())
        with self._engine.begin() as connection:
            return connection.execute(update).rowcount == 1

    def finish(self, job: int, state: RetrainingState, reason: str, **results: Any) -> None:
        """It is over; the next may start. Nothing happens to one that was given up before."""
        ended = {"active": None, "state": state, "reason": reason, "ended_at": time.time(), "remaining": None}
        with self._engine.begin() as connection:
            connection.execute(self._of(job).values(**ended, **results))

    def cancel(self) -> Retraining | None:
        """Asks the one that is going on to end; None if there is none that still can."""
        self._give_up_silent()
        open_ones = (retrainings.c.active == 1, retrainings.c.state.in_(CANCELLABLE))
        update = sa.update(retrainings).where(*open_ones).values(cancelled=True).returning(*COLUMNS)
        with self._engine.begin() as connection:
            row = connection.execute(update).mappings().first()
        return None if row is None else Retraining(**row)

    def get(self, job: int) -> Retraining | None:
        """This one."""
        return self._first(sa.select(*COLUMNS).where(retrainings.c.id == job))

    def latest(self, dataset: str | None = None) -> Retraining | None:
        """The one that is going on, else the last one, of a data set or of any."""
        self._give_up_silent()
        query = sa.select(*COLUMNS).order_by(retrainings.c.id.desc()).limit(1)
        return self._first(query if dataset is None else query.where(retrainings.c.dataset == dataset))

    def _of(self, job: int) -> sa.Update:
        return sa.update(retrainings).where(retrainings.c.id == job, retrainings.c.active == 1)

    def _first(self, query: sa.Select[Any]) -> Retraining | None:
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Retraining(**row)

    def _give_up_silent(self) -> None:
        silent = (retrainings.c.active == 1, retrainings.c.seen_at < time.time() - HEARTBEAT_TIMEOUT)
        reason = f"No heartbeat for {HEARTBEAT_TIMEOUT:.0f} s: its process is gone. Nothing is lost; start another."
        ended = {"active": None, "state": "failed", "reason": reason, "ended_at": retrainings.c.seen_at}
        with self._engine.begin() as connection:
            connection.execute(sa.update(retrainings).where(*silent).values(**ended, remaining=None))
