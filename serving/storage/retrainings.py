"""The retrainings in the database: one at a time for each data set, whichever process, replica or machine runs it."""

import time
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from serving.storage.database import Database, insert
from serving.storage.records import (
    CANCELLABLE,
    HEARTBEAT_TIMEOUT,
    MAX_ATTEMPTS,
    AbandonedError,
    BusyError,
    Retraining,
    RetrainingState,
)
from serving.storage.tables import retrainings, trainers

COLUMNS = [column for column in retrainings.c if column.name != "active"]
EMPTY = {
    "cancelled": False, "progress": 0.0, "epochs": [], "log": [], "reason": "", "version": "", "run_id": "",
    "differences": [],
}  # fmt: skip
ROW = retrainings.c


class Retrainings:
    """Thread-safe. The database itself ensures that at most one row of a data set is active, and that one process has
    it: whoever began its latest attempt."""

    def __init__(self, database: Database, trust_silence: bool = True) -> None:
        """Opens the database if it is not open. Raises StoreError. trust_silence: whether a retraining without
        heartbeats is given up; not while the database may have been away for both."""
        self._engine, self._trust_silence = database.engine, trust_silence

    def request(self, dataset: str, corrections: int, last: int | None = None, log: Sequence[str] = ()) -> Retraining:
        """Enter a new retraining for a trainer to take. Raises BusyError if one is active, and if `last` is given and
        is not the id of the data set's last one, 0 before the first. log: its first lines."""
        return self._enter(dataset, {"state": "queued", "attempts": 0, "corrections": corrections, "log": [*log]}, last)

    def claim(self, dataset: str, corrections: int) -> Retraining:
        """Enter a new retraining that this process runs. Raises BusyError if one is active."""
        return self._enter(dataset, {"state": "starting", "attempts": 1, "corrections": corrections})

    def take(self) -> Retraining | None:
        """Begin an attempt at the retraining that has waited longest; None if none waits. Of many that ask together
        one gets it: the update finds a row only as long as it waits."""
        self._end_hopeless()
        with self._engine.connect() as connection:
            waiting = connection.execute(sa.select(ROW.id).where(self._waiting).order_by(ROW.id)).scalars().all()
        now = time.time()
        begun = {"state": "starting", "started_at": now, "seen_at": now, "progress": 0.0, "remaining": None}
        for retraining_id in waiting:
            update = sa.update(retrainings).where(ROW.id == retraining_id, self._waiting)
            with self._engine.begin() as connection:
                row = connection.execute(
                    update.values(attempts=ROW.attempts + 1, **begun).returning(*COLUMNS)
                ).mappings().first()  # fmt: skip
            if row is not None:
                return Retraining(**row)
        return None

    def put_back(self, retraining: Retraining) -> None:
        """Let another trainer begin it anew, as if it had not been begun: its process was ended for other reasons."""
        update = self._update(retraining).values(state="queued", attempts=ROW.attempts - 1)
        with self._engine.begin() as connection:
            connection.execute(update)

    def heartbeat(self, retraining: Retraining, **changes: Any) -> bool:
        """Show that this attempt is alive, and update it. Returns whether it was cancelled. Raises AbandonedError."""
        update = self._update(retraining).values(seen_at=time.time(), **changes).returning(ROW.cancelled)
        with self._engine.begin() as connection:
            cancelled: bool | None = connection.execute(update).scalar()
        if cancelled is None:
            raise AbandonedError(
                f"Retraining {retraining.id} was taken from this process: no heartbeat for {HEARTBEAT_TIMEOUT:.0f} s."
            )
        return cancelled

    def begin_decision(self, retraining: Retraining, **results: Any) -> bool:
        """Enter the decision, from which on it can't be cancelled; False if it was cancelled or taken away before.
        results: what another attempt needs to repeat the decision alone."""
        uncancelled = self._update(retraining).where(~ROW.cancelled)
        values = {"state": "deciding", "seen_at": time.time(), **results}
        with self._engine.begin() as connection:
            return connection.execute(uncancelled.values(**values)).rowcount == 1

    def finish(self, retraining: Retraining, state: RetrainingState, reason: str, **results: Any) -> None:
        """End it, so that the next may start; one that was taken from this process stays as it is."""
        with self._engine.begin() as connection:
            connection.execute(self._update(retraining).values(**_ended(state, reason), **results))

    def cancel(self, dataset: str | None = None) -> Retraining | None:
        """Ask the active retraining, of a data set or the latest of any, to end; one that waits ends at once. None if
        there is none that still can be cancelled."""
        self._end_hopeless()
        cancellable = [ROW.active == 1, ROW.state.in_(CANCELLABLE), ROW.run_id == ""]
        cancellable += [] if dataset is None else [ROW.dataset == dataset]
        newest = sa.select(sa.func.max(ROW.id)).where(*cancellable).scalar_subquery()
        update = sa.update(retrainings).where(ROW.id == newest, *cancellable).returning(*COLUMNS)
        ended = _ended("cancelled", "It was cancelled before it began. Nothing has changed.")
        with self._engine.begin() as connection:
            for statement in (
                update.where(self._waiting).values(cancelled=True, **ended),
                update.values(cancelled=True),
            ):
                row = connection.execute(statement).mappings().first()
                if row is not None:
                    return Retraining(**row)
        return None

    def get(self, retraining_id: int) -> Retraining | None:
        """Return this one; None if there is none of that id."""
        return self._first(sa.select(*COLUMNS).where(ROW.id == retraining_id))

    def latest(self, dataset: str | None = None) -> Retraining | None:
        """Return the active retraining, else the last one, of a data set or of any; None before the first."""
        self._end_hopeless()
        query = sa.select(*COLUMNS).order_by(ROW.active.is_(None), ROW.id.desc()).limit(1)
        return self._first(query if dataset is None else query.where(ROW.dataset == dataset))

    def show_trainer(self) -> None:
        """Note that a trainer of its own looks for work."""
        now = {"seen_at": time.time()}
        statement = insert(self._engine, trainers).values(id=1, **now)
        with self._engine.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=now))

    def trainer_seen_at(self) -> float | None:
        """When a trainer of its own last looked for work, in seconds since 1970; None if never."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(trainers.c.seen_at)).scalar()

    def _enter(self, dataset: str, columns: dict[str, Any], last: int | None = None) -> Retraining:
        self._end_hopeless()
        now = time.time()
        row = EMPTY | {"dataset": dataset, "active": 1, "started_at": now, "seen_at": now} | columns
        values = [sa.literal(value, ROW[name].type) for name, value in row.items()]
        latest = sa.select(sa.func.coalesce(sa.func.max(ROW.id), 0)).where(ROW.dataset == dataset).scalar_subquery()
        # One statement, so that no other can end a retraining between the question and the entry.
        entry = sa.select(*values).where(sa.true() if last is None else latest == last)
        statement = sa.insert(retrainings).from_select(list(row), entry).returning(*COLUMNS)
        try:
            with self._engine.begin() as connection:
                entered = connection.execute(statement).mappings().first()
        except sa.exc.IntegrityError:
            entered = None
        if entered is not None:
            return Retraining(**entered)
        other = self.latest(dataset)
        raise BusyError(other.id if other else 0)

    def _update(self, retraining: Retraining) -> sa.Update:
        attempt = (ROW.id == retraining.id, ROW.attempts == retraining.attempts, ROW.active == 1)
        return sa.update(retrainings).where(*attempt, ROW.state != "queued")

    def _first(self, query: sa.Select[Any]) -> Retraining | None:
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Retraining(**row)

    @property
    def _silent(self) -> sa.ColumnElement[bool]:
        """Active, and its process is gone."""
        if not self._trust_silence:
            return sa.false()
        return (ROW.active == 1) & (ROW.state != "queued") & (ROW.seen_at < time.time() - HEARTBEAT_TIMEOUT)

    @property
    def _waiting(self) -> sa.ColumnElement[bool]:
        """For a trainer, for the first time or again."""
        return ((ROW.active == 1) & (ROW.state == "queued")) | self._silent

    def _end_hopeless(self) -> None:
        """End what lost its process in the last attempt, or after it was cancelled."""
        reason = (
            f"No heartbeat for {HEARTBEAT_TIMEOUT:.0f} s, in the last of {MAX_ATTEMPTS} attempts: its process was lost "
            "each time. Nothing is lost; see whether its machine has enough memory, then start another."
        )
        ended = _ended("failed", reason) | {"ended_at": ROW.seen_at}
        cancelled = _ended("cancelled", "It was cancelled. Nothing has changed.") | {"ended_at": ROW.seen_at}
        with self._engine.begin() as connection:
            undecided = (self._silent, ROW.cancelled, ROW.run_id == "")
            connection.execute(sa.update(retrainings).where(*undecided).values(cancelled))
            hopeless = (self._silent, ROW.attempts >= MAX_ATTEMPTS)
            connection.execute(sa.update(retrainings).where(*hopeless).values(ended))


def _ended(state: RetrainingState, reason: str) -> dict[str, Any]:
    return {"active": None, "state": state, "reason": reason, "ended_at": time.time(), "remaining": None}
