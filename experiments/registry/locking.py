"""Locks that serialise schema migrations."""

import contextlib
import threading
from collections.abc import Iterator

from filelock import FileLock

ALEMBIC_LOCK = threading.Lock()
"""Held during every migration of this process: Alembic, which MLflow uses too, keeps its state in module globals."""


@contextlib.contextmanager
def migration_lock(uri: str) -> Iterator[None]:
    """Serialise migrations of MLflow's tables, which it does not: in this process, and for SQLite across processes."""
    path = uri.removeprefix("sqlite:///")
    with ALEMBIC_LOCK, contextlib.nullcontext() if path == uri else FileLock(f"{path}.lock"):
        yield
