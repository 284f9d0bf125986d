"""A temporary PostgreSQL for this machine alone, without a password."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.processes import free_ports


class Postgres:
    """A running server at `url`, an SQLAlchemy URL without a database name, until stop().

    Raises FileNotFoundError where PostgreSQL is not installed.
    """

    def __init__(self) -> None:
        self._binaries = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # it refuses to run as root
        if self._user:
            shutil.chown(self._folder, "postgres")
        (port,) = free_ports(1)
        self.url = f"postgresql+psycopg://mnist@127.0.0.1:{port}"
        self._run("initdb", "--auth=trust", "--username=mnist", "--no-sync")
        options = f"-p {port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")
        self._psql = ["psql", "--quiet", "--host=127.0.0.1", f"--port={port}", "--username=mnist", "postgres"]

    def create(self, *databases: str) -> None:
        """Create empty databases."""
        for name in databases:
            subprocess.run([*self._psql, "-c", f"CREATE DATABASE {name}"], check=True)

    def stop(self) -> None:
        """End the server and remove its files."""
        self._run("pg_ctl", "-m", "fast", "-w", "stop")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._binaries / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL)


def _binaries() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise FileNotFoundError("PostgreSQL is not installed (Debian: apt install postgresql).")
    return folders[-1]
