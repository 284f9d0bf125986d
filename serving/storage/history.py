"""The history of answers in the database."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from serving.storage.database import Database, insert
from serving.storage.records import ENTRY_FIELDS, FORMER_REJECTED, AnswerFilter, Entry
from serving.storage.tables import predictions

DAY = 86_400.0  # s
_VERDICT = sa.func.replace(
    predictions.c.verdict, sa.literal_column(f"'{FORMER_REJECTED}'"), sa.literal_column("'rejected'")
).label("verdict")
COLUMNS: dict[str, sa.ColumnElement[Any]] = {**predictions.c, "verdict": _VERDICT}
"""As read and filtered: under its former name a verdict is the same."""


class History:
    """The kept answers. Safe to use from any thread; replicas may share one database."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep these, in one transaction; one that is there already (same request and position) is left as it is."""
        rows = [{name: getattr(entry, name) for name in ENTRY_FIELDS} for entry in entries]
        with self._engine.begin() as connection:
            connection.execute(insert(self._engine, predictions).on_conflict_do_nothing(), rows)

    def search(self, wanted: AnswerFilter, limit: int) -> list[Entry]:
        """The newest `limit` entries that match, newest first."""
        query = sa.select(*COLUMNS.values()).where(*_conditions(wanted)).order_by(predictions.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Entry(**row) for row in connection.execute(query).mappings()]

    def find(self, request_id: str, position: int) -> Entry | None:
        """The answer to one picture of a request; None if it is not kept."""
        key = (predictions.c.request_id == request_id, predictions.c.position == position)
        query = sa.select(*COLUMNS.values()).where(*key)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Entry(**row)

    def count(self, wanted: AnswerFilter) -> int:
        """How many entries match."""
        query = sa.select(sa.func.count()).select_from(predictions).where(*_conditions(wanted))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tally(self, column: str, wanted: AnswerFilter) -> dict[str, int]:
        """How many entries match, by the values of a column (verdict, label, source, ...)."""
        key = COLUMNS[column]
        query = sa.select(key, sa.func.count()).where(*_conditions(wanted)).group_by(key).order_by(key)
        with self._engine.connect() as connection:
            return {str(value): count for value, count in connection.execute(query)}

    def purge(self, days: float, rows: int) -> int:
        """Forget what is older than `days`, and all but the newest `rows`. What was corrected stays. Returns how
        many entries went."""
        loose = predictions.c.corrected.is_(None)
        kept = sa.select(predictions.c.id).where(loose).order_by(predictions.c.id.desc()).offset(rows).limit(1)
        old = predictions.c.answered_at < time.time() - days * DAY
        with self._engine.begin() as connection:
            beyond = connection.execute(kept).scalar()
            gone = old if beyond is None else old | (predictions.c.id <= beyond)
            return connection.execute(sa.delete(predictions).where(loose, gone)).rowcount


def _conditions(wanted: AnswerFilter) -> Iterable[sa.ColumnElement[bool]]:
    columns = predictions.c
    if wanted.verdict is not None:
        yield ("rejected" if wanted.verdict == FORMER_REJECTED else wanted.verdict) == _VERDICT
    for name in ("label", "source", "dataset", "model_version", "client"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.since is not None:
        yield columns.answered_at >= wanted.since
    if wanted.until is not None:
        yield columns.answered_at < wanted.until
    if wanted.before is not None:
        yield columns.id < wanted.before
