"""The one database of a process: SQLite beside the project's artifacts, or PostgreSQL by DATABASE_URL."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.registry.locking import ALEMBIC_LOCK
from serving.storage.records import StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from settings import Settings

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7_860_001  # names the lock under which one replica at a time migrates a PostgreSQL database


class Database:
    """Shared by all that is kept, from any thread; replicas may share its server. Opened at first use, so that a
    start does not wait for it."""

    def __init__(self, url: str) -> None:
        self._url, self._opening = url, threading.Lock()
        self._engine: sa.Engine | None = None

    @property
    def engine(self) -> "sa.Engine":
        """Connected, its tables up to date. Raises StoreError."""
        with self._opening:
            if self._engine is None:
                self._engine = _open(self._url)
            return self._engine

    def close(self) -> None:
        """Let go of it."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None


def open_database(settings: "Settings") -> Database:
    """The database of these settings, not asked yet."""
    return Database(database_url(settings))


def database_url(settings: "Settings") -> str:
    """Where it lies. Makes the folder of a SQLite file that is not there yet."""
    if settings.database_url:
        # What most hosts hand out names no driver.
        return settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    settings.artifact_dir.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{settings.artifact_dir / 'history.db'}"


def insert(engine: "sa.Engine", table: "sa.Table") -> Any:
    """An INSERT that knows ON CONFLICT."""
    from sqlalchemy.dialects import postgresql, sqlite

    return (postgresql if engine.dialect.name == "postgresql" else sqlite).insert(table)


def connect(url: str) -> "sa.Engine":
    """Not connected before it is used; its tables as they are."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            # FULL: what was committed outlives even a power cut, at some ms a transaction.
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
                connection.execute(f"PRAGMA {pragma}")

    return engine


def migrate(engine: "sa.Engine", revision: str = "head") -> None:
    """Bring the database to a revision, in one transaction and one process at a time."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with ALEMBIC_LOCK, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _open(url: str) -> "sa.Engine":
    import sqlalchemy as sa

    try:
        engine = connect(url)
        migrate(engine)
    except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        message = f"The history can't be opened ({reason}). Check DATABASE_URL and DEMO_ARTIFACT_DIR."
        raise StoreError(message) from error
    return engine
