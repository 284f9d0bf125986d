"""Connections to PostgreSQL that give up on a server which does not answer."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen

from serving.core.guarded_calls import seconds_left

CONNECT_SECONDS = 3
DEAD_PEER = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""libpq's options by which the kernel notices that a machine is gone: s, s, tries, ms."""
INTERVAL = 0.1  # s between two looks for Ctrl-C, as psycopg has it
T = TypeVar("T")


class BoundedConnection(psycopg.Connection[Any]):
    """Waits for the server no longer than the call that it is part of may take, and is closed after that.

    The server's own statement_timeout does not help where the server itself hangs.
    """

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect within a few seconds."""
        return super().connect(conninfo, **{"connect_timeout": CONNECT_SECONDS, **DEAD_PEER, **options})

    def wait(self, gen: PQGen[T], interval: float = INTERVAL, timeout: float | None = None) -> T:
        """Wait for an answer. Raises OperationalError where none comes in time, with the connection closed."""
        left = seconds_left()
        try:
            return super().wait(gen, interval, left if timeout is None else min(left, timeout))
        except psycopg.OperationalError:
            if not seconds_left():
                self.close()  # the answer may still come, for which nothing would wait
            raise

    def set_timeouts(self, seconds: Mapping[str, float]) -> None:
        """Have the server end by itself what takes longer."""
        setting = "set_config('{}', '{:.0f}', false)"
        self.autocommit = True
        self.execute("SELECT " + ", ".join(setting.format(name, 1000 * value) for name, value in seconds.items()))
        self.autocommit = False
