"""Start servers as processes on this machine, wait for them, measure their memory, and end them."""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from settings import ROOT

PATIENCE = 120.0  # s; a busy machine is slow
PORTS = (10_000, 32_000)  # Linux gives outgoing connections those from 32,768 on: a probed one may be gone when needed


class Server:
    """A program that answers at the URL `ready`; `environment` is added to this process's own.

    Its output is kept. Raises RuntimeError with the output when the program ends or never answers.
    """

    def __init__(self, command: Sequence[str], ready: str, environment: Mapping[str, str] | None = None) -> None:
        self._command, self._ready = command, ready
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # those of the virtual environment
        self._environment = os.environ | {"PATH": programs} | (environment or {})
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115
        self.start()

    def start(self) -> None:
        """Start the program, again if it was ended, and return once it answers."""
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environment, stdout=self._printed, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not answers(self._ready):
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                printed = self.printed()
                self._printed.close()
                raise RuntimeError(f"{' '.join(self._command)} does not answer: {printed}")
            time.sleep(0.1)

    def printed(self) -> str:
        """Return all its output so far."""
        self._printed.seek(0)
        return self._printed.read().decode(errors="replace")

    def megabytes(self) -> float:
        """Return the memory of the program and its children in MB, shared pages divided among those who share them."""
        processes = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return sum(process.memory_full_info().pss for process in processes) / 1e6

    def kill(self) -> None:
        """Kill the program and its children, as `kill -9` does: nothing is closed or stored."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """Hang: connections are taken, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a pause."""
        self._signal(signal.SIGCONT)

    def terminate(self, patience: float) -> tuple[float, int]:
        """Send SIGTERM. Return the seconds until the program's end and its exit status; killed after `patience` s."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        seconds = time.monotonic() - begin
        self._signal(signal.SIGKILL)
        return seconds, self.process.wait()

    def stop(self) -> None:
        """As Ctrl-C does; killed if that is not heeded."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._printed.close()

    def _signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, which)


def answers(url: str) -> bool:
    """Return whether the URL answers with a 2xx status."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310
            return 200 <= reply.status < 300
    except (OSError, urllib.error.URLError):
        return False


def free_ports(count: int) -> list[int]:
    """Return so many free ports of this machine, below those that the kernel itself lends out meanwhile."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(*PORTS)  # noqa: S311
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("", port)).close()
    except OSError:
        return False
    return True
