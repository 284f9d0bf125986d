"""The history of answers in a database: SQLite beside the project's artifacts, or PostgreSQL by DATABASE_URL."""

import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from serving.entries import KEPT, Entry, Filter, StoreError
from serving.tables import predictions

if TYPE_CHECKING:
    from settings import Settings

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7_860_001  # names the lock under which one replica at a time migrates a PostgreSQL database
DAY = 86_400.0  # s
_MIGRATING = threading.Lock()  # Alembic keeps what it works on in its module


class History:
    """The kept answers. Safe to use from any thread; replicas may share one database."""

    def __init__(self, url: str) -> None:
        """Connects and brings the tables up to date. Raises StoreError."""
        try:
            self._engine = _connect(url)
            migrate(self._engine)
        except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
            reason = str(error).partition("\n")[0]
            raise StoreError(f"The history can't be opened ({reason}). Check DATABASE_URL and ARTIFACT_DIR.") from error

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep these, in one transaction; one that is there already (same request and position) is left as it is."""
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        rows = [{name: getattr(entry, name) for name in KEPT} for entry in entries]
        with self._engine.begin() as connection:
            connection.execute(insert(predictions).on_conflict_do_nothing(), rows)

    def search(self, wanted: Filter, limit: int) -> list[Entry]:
        """The newest `limit` entries that match, newest first."""
        query = sa.select(predictions).where(*_conditions(wanted)).order_by(predictions.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Entry(**row) for row in connection.execute(query).mappings()]

    def count(self, wanted: Filter) -> int:
        """How many entries match."""
        query = sa.select(sa.func.count()).select_from(predictions).where(*_conditions(wanted))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tally(self, column: str, wanted: Filter) -> dict[str, int]:
        """How many entries match, by the values of a column (verdict, label, source, ...)."""
        key = predictions.c[column]
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

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def database_url(settings: "Settings") -> str:
    """Where the history lies. Makes the folder of a SQLite file that is not there yet."""
    if settings.database_url:
        # What most hosts hand out names no driver.
        return settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    settings.artifact_dir.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{settings.artifact_dir / 'history.db'}"


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database to a revision, in one transaction and one process at a time."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _MIGRATING, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _connect(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def _conditions(wanted: Filter) -> Iterable[sa.ColumnElement[bool]]:
    columns = predictions.c
    for name in ("verdict", "label", "source", "dataset", "model_version", "client"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.since is not None:
        yield columns.answered_at >= wanted.since
    if wanted.until is not None:
        yield columns.answered_at < wanted.until
    if wanted.before is not None:
        yield columns.id < wanted.before
