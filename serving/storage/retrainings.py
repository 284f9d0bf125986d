"""The retrainings in the database: one at a time, whichever process, replica or machine starts it."""

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
EMPTY = {
    "cancelled": False, "progress": 0.0, "epochs": [], "log": [], "reason": "", "version": "", "run_id": "",
    "differences": [],
}  # fmt: skip


class Retrainings:
    """Thread-safe. The database itself ensures that at most one row is active."""

    def __init__(self, database: Database, trust_silence: bool = True) -> None:
        """Opens the database if it is not open. Raises StoreError. trust_silence: whether a retraining without
        heartbeats is given up; not while the database may have been away for both."""
        self._engine, self._trust_silence = database.engine, trust_silence

    def claim(self, dataset: str, corrections: int) -> Retraining:
        """Enter a new retraining if none is active. Raises BusyError."""
        self._fail_silent()
        now = time.time()
        row = {"dataset": dataset, "state": "starting", "started_at": now, "seen_at": now, "corrections": corrections}
        insert = sa.insert(retrainings).values(active=1, **row, **EMPTY).returning(*COLUMNS)
        try:
            with self._engine.begin() as connection:
                return Retraining(**connection.execute(insert).mappings().one())
        except sa.exc.IntegrityError:
            with self._engine.connect() as connection:
                active = connection.execute(sa.select(retrainings.c.id).where(retrainings.c.active == 1)).scalar()
            raise BusyError(active or 0) from None

    def heartbeat(self, retraining_id: int, **changes: Any) -> bool:
        """Show that the retraining is alive, and update it. Returns whether it was cancelled. Raises AbandonedError."""
        update = self._update(retraining_id).values(seen_at=time.time(), **changes).returning(retrainings.c.cancelled)
        with self._engine.begin() as connection:
            cancelled: bool | None = connection.execute(update).scalar()
        if cancelled is None:
            raise AbandonedError(
                f"Retraining {retraining_id} was given up: no heartbeat for {HEARTBEAT_TIMEOUT:.0f} s."
            )
        return cancelled

    def begin_decision(self, retraining_id: int) -> bool:
        """Enter the decision, from which on it can't be cancelled; False if it was cancelled before."""
        uncancelled = self._update(retraining_id).where(~retrainings.c.cancelled)
        with self._engine.begin() as connection:
            return connection.execute(uncancelled.values(state="deciding", seen_at=time.time())).rowcount == 1

    def finish(self, retraining_id: int, state: RetrainingState, reason: str, **results: Any) -> None:
        """End it, so that the next may start; one that was given up before stays as it is."""
        ended = {"active": None, "state": state, "reason": reason, "ended_at": time.time(), "remaining": None}
        with self._engine.begin() as connection:
            connection.execute(self._update(retraining_id).values(**ended, **results))

    def cancel(self) -> Retraining | None:
        """Ask the active retraining to end; None if there is none that still can be cancelled."""
        self._fail_silent()
        cancellable = (retrainings.c.active == 1, retrainings.c.state.in_(CANCELLABLE))
        with self._engine.begin() as connection:
            update = sa.update(retrainings).where(*cancellable).values(cancelled=True).returning(*COLUMNS)
            row = connection.execute(update).mappings().first()
        return None if row is None else Retraining(**row)

    def get(self, retraining_id: int) -> Retraining | None:
        """Return this one; None if there is none of that id."""
        return self._first(sa.select(*COLUMNS).where(retrainings.c.id == retraining_id))

    def latest(self, dataset: str | None = None) -> Retraining | None:
        """Return the active retraining, else the last one, of a data set or of any; None before the first."""
        self._fail_silent()
        query = sa.select(*COLUMNS).order_by(retrainings.c.id.desc()).limit(1)
        return self._first(query if dataset is None else query.where(retrainings.c.dataset == dataset))

    def _update(self, retraining_id: int) -> sa.Update:
        return sa.update(retrainings).where(retrainings.c.id == retraining_id, retrainings.c.active == 1)

    def _first(self, query: sa.Select[Any]) -> Retraining | None:
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Retraining(**row)

    def _fail_silent(self) -> None:
        """End the active retraining as failed if its process is gone."""
        if not self._trust_silence:
            return
        silent = (retrainings.c.active == 1, retrainings.c.seen_at < time.time() - HEARTBEAT_TIMEOUT)
        reason = f"No heartbeat for {HEARTBEAT_TIMEOUT:.0f} s: its process is gone. Nothing is lost; start another."
        failed = {"active": None, "state": "failed", "reason": reason, "remaining": None}
        with self._engine.begin() as connection:
            connection.execute(sa.update(retrainings).where(*silent).values(**failed, ended_at=retrainings.c.seen_at))
