"""The one database of a process: SQLite beside the project's artifacts, or PostgreSQL by DATABASE_URL."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.registry.locking import ALEMBIC_LOCK
from serving.storage.records import StoreError
from settings import Settings

# Functions import SQLAlchemy and Alembic, so that a start does not wait for them.
if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 7_860_001  # id of the advisory lock under which one replica at a time migrates a PostgreSQL database


class Database:
    """Shared by all tables and threads; replicas may share its server. Opened at first use, so that a start does not
    wait for it."""

    def __init__(self, url: str) -> None:
        self.url, self._opening = url, threading.Lock()
        self._engine: sa.Engine | None = None

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """Return the database of these settings, not yet connected. Makes the folder of a SQLite file if needed."""
        if settings.database_url:
            # The URLs that most hosts hand out name no driver.
            return cls(settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        settings.artifact_dir.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{settings.artifact_dir / 'history.db'}")

    @property
    def engine(self) -> "sa.Engine":
        """Connected, with its tables up to date. Raises StoreError."""
        with self._opening:
            if self._engine is None:
                self._engine = _open(self.url)
            return self._engine

    def close(self) -> None:
        """Close all connections."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None


def insert(engine: "sa.Engine", table: "sa.Table") -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT of the engine's dialect, which knows ON CONFLICT."""
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def create_engine(url: str) -> "sa.Engine":
    """Return an engine that connects at first use and leaves the tables as they are."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            # FULL: a commit survives even a power cut, at some ms a transaction.
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
        engine = create_engine(url)
        migrate(engine)
    except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        message = f"The history can't be opened ({reason}). Check DATABASE_URL and DEMO_ARTIFACT_DIR."
        raise StoreError(message) from error
    return engine
