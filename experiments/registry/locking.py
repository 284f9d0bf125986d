"""Locks that serialise schema migrations, and the files that they are about."""

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from filelock import FileLock

ALEMBIC_LOCK = threading.Lock()
"""Held during every migration of this process: Alembic, which MLflow uses too, keeps its state in module globals."""


@contextlib.contextmanager
def migration_lock(uri: str) -> Iterator[None]:
    """Serialise migrations of MLflow's tables, which it does not: in this process, and for SQLite across processes."""
    path = sqlite_file(uri)
    with ALEMBIC_LOCK, contextlib.nullcontext() if path is None else FileLock(f"{path}.lock"):
        yield


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database by its URL; None for one in memory, or for a server's."""
    found = re.match(r"sqlite(?:\+pysqlite)?:///(?!file:|:memory:)([^?]+)", url)
    return Path(unquote(found[1])) if found else None
