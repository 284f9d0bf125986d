"""A temporary PostgreSQL for this machine alone, without a password."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil

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
        self._options = f"-p {port} -k {self._folder} -c listen_addresses=127.0.0.1"
        self.start()
        self._psql = ["psql", "--quiet", "--host=127.0.0.1", f"--port={port}", "--username=mnist", "postgres"]

    def create(self, *databases: str) -> None:
        """Create empty databases."""
        for name in databases:
            subprocess.run([*self._psql, "-c", f"CREATE DATABASE {name}"], check=True)

    def start(self) -> None:
        """Start the server, again if it was killed."""
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", self._options, "start")

    def kill(self) -> None:
        """Kill all its processes, as `kill -9` does."""
        psutil.wait_procs(self._signal(signal.SIGKILL))

    def pause(self) -> None:
        """Hang: connections are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a pause."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End the server and remove its files."""
        if self._signal(signal.SIGCONT):
            self._run("pg_ctl", "-m", "fast", "-w", "stop")
        shutil.rmtree(self._folder)

    def _signal(self, which: signal.Signals) -> list[psutil.Process]:
        """Signal all its processes, and return them; none where it does not run."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            first = psutil.Process(int((self._folder / "data" / "postmaster.pid").read_text().split()[0]))
            if first.name() == "postgres":  # else the file was left behind by one that was killed
                first.suspend()  # so that it starts no more meanwhile
                processes = [*first.children(recursive=True), first]
                for process in processes:
                    with suppress(psutil.NoSuchProcess):
                        process.send_signal(which)
                return processes
        return []

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._user, str(self._binaries / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL)


def _binaries() -> Path:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise FileNotFoundError("PostgreSQL is not installed (Debian: apt install postgresql).")
    return folders[-1]
