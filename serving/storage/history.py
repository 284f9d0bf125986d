"""The history of answers in the database."""

import math
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from experiments.data.specs import SPECS
from serving.storage.database import Database, insert
from serving.storage.records import FORMER_REJECTED, AnswerFilter, Entry
from serving.storage.tables import predictions, shared_answers

DAY = 86_400.0  # s
HOUR = 3600  # s
PAGE_SIZE = 250  # entries read at a time: one of a page of digits has 160 kB
Call = Callable[[Callable[[], list[Entry]]], list[Entry]]
COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    **predictions.c,
    "verdict": sa.func.replace(
        predictions.c.verdict, sa.literal_column(f"'{FORMER_REJECTED}'"), sa.literal_column("'rejected'")
    ).label("verdict"),
}
"""As they are read and filtered: a verdict by its present name."""


class History:
    """The kept answers. Thread-safe; replicas may share one database."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def ping(self) -> None:
        """Find out whether the database answers. Raises an error if not."""
        self._engine.connect().close()  # the pool asks it before it hands out a connection

    def add(self, entries: Sequence[Entry]) -> None:
        """Insert these in one transaction; an existing one of the same request and position is left as it is."""
        with self._engine.begin() as connection:
            connection.execute(insert(self._engine, predictions).on_conflict_do_nothing(), list(map(_row, entries)))

    def search(self, where: AnswerFilter, limit: int) -> list[Entry]:
        """Return the newest `limit` matching entries, newest first."""
        query = sa.select(*COLUMNS.values()).where(*_conditions(where)).order_by(predictions.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return list(map(_entry, connection.execute(query).mappings()))

    def iterate(self, where: AnswerFilter, call: Call = lambda search: search()) -> Iterator[Entry]:
        """Yield all matching entries, newest first, a page in memory at a time. call: runs the search for a page."""
        while entries := call(partial(self.search, where, PAGE_SIZE)):
            yield from entries
            where = replace(where, before=entries[-1].id)

    def find(self, request_id: str, position: int) -> Entry | None:
        """Return the answer to one picture of a request; None if it is not kept."""
        key = (predictions.c.request_id == request_id, predictions.c.position == position)
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(*COLUMNS.values()).where(*key)).mappings().first()
        return None if row is None else _entry(row)

    def count(self, where: AnswerFilter) -> int:
        """Count the matching entries."""
        query = sa.select(sa.func.count()).select_from(predictions).where(*_conditions(where))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tally(self, where: AnswerFilter, column: str) -> dict[str, int]:
        """Count the matching entries by the values of a column, such as verdict, label or source."""
        key = COLUMNS[column]
        query = sa.select(key, sa.func.count()).where(*_conditions(where)).group_by(key).order_by(key)
        with self._engine.connect() as connection:
            return {str(value): count for value, count in connection.execute(query)}

    def hourly(self, where: AnswerFilter, column: str) -> dict[tuple[float, str], int]:
        """Count the matching entries by the hour, its start in seconds since 1970, and the values of a column."""
        key, hour = COLUMNS[column], sa.cast(predictions.c.answered_at, sa.BigInteger) // HOUR
        query = sa.select(hour, key, sa.func.count()).where(*_conditions(where)).group_by(hour, key).order_by(hour, key)
        with self._engine.connect() as connection:
            return {(HOUR * float(number), str(value)): count for number, value, count in connection.execute(query)}

    def purge(self, days: float, rows: int) -> int:
        """Delete what is older than `days`, and all but the newest `rows`; corrected answers stay. What was shared of
        those that are gone goes too. Returns how many answers were deleted."""
        uncorrected = predictions.c.corrected.is_(None)
        newest = sa.select(predictions.c.id).where(uncorrected).order_by(predictions.c.id.desc())
        expired = predictions.c.answered_at < time.time() - days * DAY
        with self._engine.begin() as connection:
            first_beyond = connection.execute(newest.offset(rows).limit(1)).scalar()
            if first_beyond is not None:
                expired |= predictions.c.id <= first_beyond
            count = connection.execute(sa.delete(predictions).where(uncorrected, expired)).rowcount
            kept = sa.exists().where(predictions.c.request_id == shared_answers.c.request_id)
            connection.execute(sa.delete(shared_answers).where(~kept))
        return count


def _row(entry: Entry) -> dict[str, Any]:
    row, image = {name: getattr(entry, name) for name in COLUMNS if name not in ("id", "digits")}, entry.image
    is_number = (
        image is not None and entry.dataset in SPECS and len(image) > math.prod(SPECS[entry.dataset].image_shape)
    )
    digits = zlib.compress(image, 1) if image is not None and is_number else None
    return row | {"image": None if is_number else image, "digits": digits}


def _entry(row: Mapping[Any, Any]) -> Entry:
    digits, values = row["digits"], {name: value for name, value in row.items() if name != "digits"}
    return Entry(**values | ({} if digits is None else {"image": zlib.decompress(digits)}))


def _conditions(where: AnswerFilter) -> Iterable[sa.ColumnElement[bool]]:
    exact = {name: getattr(where, name) for name in ("label", "source", "dataset", "model_version", "client")}
    exact["label"] = where.label and "\n".join(where.label.split())
    exact["verdict"] = "rejected" if where.verdict == FORMER_REJECTED else where.verdict
    for name, value in exact.items():
        if value is not None:
            yield COLUMNS[name] == value
    if where.since is not None:
        yield predictions.c.answered_at >= where.since
    if where.until is not None:
        yield predictions.c.answered_at < where.until
    if where.before is not None:
        yield predictions.c.id < where.before
