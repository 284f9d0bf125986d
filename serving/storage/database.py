"""The one database of a process: SQLite beside the project's artifacts, or PostgreSQL by DATABASE_URL."""

import logging
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.registry.locking import ALEMBIC_LOCK
from serving.core.guarded_calls import seconds_left
from serving.core.private_files import narrow, private_file, private_folder
from serving.storage.records import FullError, StoreError
from settings import Settings, sqlite_url

# Functions import SQLAlchemy and Alembic, so that a start does not wait for them.
if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql, sqlite

    from serving.storage.postgres_connection import BoundedConnection

T = TypeVar("T")
MIGRATIONS = Path(__file__).with_name("migrations")
OUTAGE_SECONDS = 600.0  # for which a result waits for a database that is away
CLOSING_SECONDS = 1.0  # for which the end waits while another thread opens the database
BUSY_SECONDS = 10.0  # for which SQLite waits while another process writes; less where a call ends before
POSTGRES_SECONDS = {"statement_timeout": 60, "lock_timeout": 4, "idle_in_transaction_session_timeout": 60}
"""After which the server itself ends what nobody waits for any more."""
LOCK = 7_860_001  # id of the advisory lock under which one replica at a time migrates a PostgreSQL database


class Database:
    """Shared by all tables and threads; replicas may share its server. Opened at first use, so that a start does not
    wait for it."""

    def __init__(self, url: str, folder: Path | None = None) -> None:
        """folder: made for its owner alone when the database is opened."""
        self.url, self._folder, self._opening = url, folder, threading.Lock()
        self._engine: sa.Engine | None = None
        self._logged = ""  # why it could not be opened, once in the log

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """Return the database of these settings, not yet connected."""
        if settings.database_url:
            # The URLs that most hosts hand out name no driver.
            return cls(re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", settings.database_url))
        return cls(sqlite_url(settings.artifact_dir / "history.db"), settings.artifact_dir)

    @property
    def engine(self) -> "sa.Engine":
        """Connected, with its tables up to date. Raises StoreError."""
        if self._engine is None:
            if not self._opening.acquire(timeout=seconds_left()):
                raise StoreError("The history is being opened.")
            try:
                self._engine = self._engine or self._open()
            finally:
                self._opening.release()
        return self._engine

    def close(self) -> None:
        """Close all connections."""
        opened = self._opening.acquire(timeout=CLOSING_SECONDS)  # else the end waits for a database that hangs
        try:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None
        finally:
            if opened:
                self._opening.release()

    def _open(self) -> "sa.Engine":
        import sqlalchemy as sa

        try:
            if self._folder is not None:
                private_folder(self._folder)
            engine = create_engine(self.url)
            _keep_private(engine)
            migrate(engine)
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError, ImportError, ValueError) as error:
            # Hosts, users and paths are the log's alone, since visitors see the message.
            reason = str(error).partition("\n")[0]
            if reason != self._logged:  # once, not at every try
                logging.getLogger(__name__).error("The history can't be opened: %s", reason)
            self._logged = reason
            message = "The history can't be opened; the log says why. Check DATABASE_URL and DEMO_ARTIFACT_DIR."
            raise StoreError(message) from error
        self._logged = ""
        return engine


def is_away(error: Exception) -> bool:
    """Whether an error means that the database can't be used, rather than that it refused something."""
    import sqlalchemy as sa

    refusals = (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError)
    return isinstance(error, (sa.exc.DBAPIError, sa.exc.TimeoutError)) and not isinstance(error, refusals)


def wait_for_database(function: Callable[[], T], seconds: float = OUTAGE_SECONDS, pause: float = 2.0) -> T:
    """Return what the function does with the database, once it answers: for what must not be lost."""
    end = time.monotonic() + seconds
    while True:
        try:
            return function()
        except Exception as error:
            if not (isinstance(error, (StoreError, FullError)) or is_away(error)) or time.monotonic() > end:
                raise
            logging.getLogger(__name__).warning("Waiting for the database: %s", str(error).partition("\n")[0])
            time.sleep(pause)


def insert(engine: "sa.Engine", table: "sa.Table") -> "postgresql.Insert | sqlite.Insert":
    """Return an INSERT of the engine's dialect, which knows ON CONFLICT."""
    from sqlalchemy.dialects import postgresql, sqlite

    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def create_engine(url: str) -> "sa.Engine":
    """Return an engine that connects at first use and leaves the tables as they are."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, pool_pre_ping=True)

    @sa.event.listens_for(engine, "handle_error")
    def _(context: "sa.ExceptionContext") -> None:
        if _is_full(context.original_exception):
            raise FullError from context.original_exception

    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _(connection: Any, _record: Any) -> None:
            # FULL: a commit survives even a power cut, at some ms a transaction.
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "checkout")
        def _(connection: Any, _record: Any, _proxy: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout={1000 * min(BUSY_SECONDS, seconds_left()):.0f}")

    elif engine.dialect.driver == "psycopg":
        from serving.storage.postgres_connection import BoundedConnection

        @sa.event.listens_for(engine, "do_connect")
        def _(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> "BoundedConnection":
            return BoundedConnection.connect(*arguments, **options)

        @sa.event.listens_for(engine, "connect")
        def _(connection: "BoundedConnection", _record: Any) -> None:
            connection.set_timeouts(POSTGRES_SECONDS)

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


def _is_full(error: BaseException) -> bool:
    """Whether SQLite or PostgreSQL lacks room on its disk."""
    return getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(error, "sqlstate", "") == "53100"


def _keep_private(engine: "sa.Engine") -> None:
    """Make the file of a SQLite database its owner's alone, and those beside it, which SQLite makes likewise."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":memory:", "file:")):
        return
    private_file(Path(name))
    for beside in (Path(f"{name}-wal"), Path(f"{name}-shm")):
        with suppress(FileNotFoundError):
            narrow(beside)
