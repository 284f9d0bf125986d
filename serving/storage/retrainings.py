"""The retrainings in the database, one at a time whichever process, replica or machine starts it."""

import time
from typing import Any

import sqlalchemy as sa

from serving.storage.database import Database
from serving.storage.records import CANCELLABLE, SILENCE, BusyError, Job, LostError, RetrainingState
from serving.storage.tables import retrainings

COLUMNS = [column for column in retrainings.c if column.name != "active"]
EMPTY = {"cancelled": False, "progress": 0.0, "epochs": [], "log": [], "reason": "", "version": "", "run_id": ""}


class Jobs:
    """Safe to use from any thread. One row at most is active, which the database itself sees to."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def claim(self, dataset: str, corrections: int) -> Job:
        """A new retraining, if none is going on. Raises BusyError."""
        self._give_up_silent()
        now = time.time()
        row = {"dataset": dataset, "state": "starting", "started_at": now, "seen_at": now, "corrections": corrections}
        insert = sa.insert(retrainings).values(active=1, differences=[], **row, **EMPTY).returning(*COLUMNS)
        try:
            with self._engine.begin() as connection:
                return Job(**connection.execute(insert).mappings().one())
        except sa.exc.IntegrityError:
            with self._engine.connect() as connection:
                active = connection.execute(sa.select(retrainings.c.id).where(retrainings.c.active == 1)).scalar()
            raise BusyError(active or 0) from None

    def beat(self, job: int, **seen: Any) -> bool:
        """A sign of life, with what is new. Returns whether the job is asked to end. Raises LostError."""
        update = self._of(job).values(seen_at=time.time(), **seen).returning(retrainings.c.cancelled)
        with self._engine.begin() as connection:
            cancelled = connection.execute(update).scalar()
        if cancelled is None:
            raise LostError(f"Retraining {job} was given up: for {SILENCE:.0f} s nothing was heard of it.")
        return cancelled

    def point_of_no_return(self, job: int) -> bool:
        """Whether the job may go on to its decision; from then on it can't be cancelled."""
        update = self._of(job).where(~retrainings.c.cancelled).values(state="deciding", seen_at=time.time())
        with self._engine.begin() as connection:
            return connection.execute(update).rowcount == 1

    def end(self, job: int, state: RetrainingState, reason: str, **results: Any) -> None:
        """It is over; the next may start. Nothing happens to one that was given up before."""
        ended = {"active": None, "state": state, "reason": reason, "ended_at": time.time(), "remaining": None}
        with self._engine.begin() as connection:
            connection.execute(self._of(job).values(**ended, **results))

    def cancel(self) -> Job | None:
        """Asks the one that is going on to end; None if there is none that still can."""
        self._give_up_silent()
        open_ones = (retrainings.c.active == 1, retrainings.c.state.in_(CANCELLABLE))
        update = sa.update(retrainings).where(*open_ones).values(cancelled=True).returning(*COLUMNS)
        with self._engine.begin() as connection:
            row = connection.execute(update).mappings().first()
        return None if row is None else Job(**row)

    def get(self, job: int) -> Job | None:
        """This one."""
        return self._first(sa.select(*COLUMNS).where(retrainings.c.id == job))

    def latest(self, dataset: str | None = None) -> Job | None:
        """The one that is going on, else the last one, of a data set or of any."""
        self._give_up_silent()
        query = sa.select(*COLUMNS).order_by(retrainings.c.id.desc()).limit(1)
        return self._first(query if dataset is None else query.where(retrainings.c.dataset == dataset))

    def _of(self, job: int) -> sa.Update:
        return sa.update(retrainings).where(retrainings.c.id == job, retrainings.c.active == 1)

    def _first(self, query: sa.Select[Any]) -> Job | None:
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Job(**row)

    def _give_up_silent(self) -> None:
        silent = (retrainings.c.active == 1, retrainings.c.seen_at < time.time() - SILENCE)
        reason = f"For {SILENCE:.0f} s nothing was heard of it: its process is gone. Nothing is lost; start another."
        ended = {"active": None, "state": "failed", "reason": reason, "ended_at": retrainings.c.seen_at}
        with self._engine.begin() as connection:
            connection.execute(sa.update(retrainings).where(*silent).values(**ended, remaining=None))
