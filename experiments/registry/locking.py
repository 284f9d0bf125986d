"""Who makes or changes the tables of a database does so alone."""

import contextlib
import threading
from collections.abc import Iterator

ALEMBIC_LOCK = threading.Lock()
"""Held by whoever migrates in this process: Alembic, MLflow's too, keeps what it works on in its module."""


@contextlib.contextmanager
def migration_lock(uri: str) -> Iterator[None]:
    """For the tables of MLflow, which locks nothing: the only one in this process, and of a SQLite file in any."""
    from filelock import FileLock

    path = uri.removeprefix("sqlite:///")
    with ALEMBIC_LOCK, contextlib.nullcontext() if path == uri else FileLock(f"{path}.lock"):
        yield
