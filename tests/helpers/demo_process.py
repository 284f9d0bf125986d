"""demo.py as a program of its own on a free port, with the shipped model: no store is there to take another from."""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from benchmarks.processes import free_ports
from settings import ROOT

PATIENCE = 60.0  # s, for a busy machine


class DemoProcess:
    """Starts `python demo.py` with flags and variables and returns once its page answers at `url`. limits: what the
    process may take, by the constants of `resource`. What it keeps lies in `folder` until it stops."""

    def __init__(self, *flags: str, limits: Mapping[int, int] | None = None, **variables: str) -> None:
        (port,) = free_ports(1)
        self._temporary = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # a worker may still be writing
        self.folder = Path(self._temporary.name)
        # MLflow sets its variable in the process that runs the other tests, which this one would inherit.
        own = {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.folder}/none.db",
            "DEMO_ARTIFACT_DIR": str(self.folder),
            "GRADIO_TEMP_DIR": str(self.folder / "uploads"),
        }
        self._output = self.folder / "output"  # a file: a pipe that nobody reads would block the page when full
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "demo.py", "--port", str(port), *flags],
                cwd=ROOT, env=os.environ | own | variables, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.pid = self._process.pid
        for kind, most in (limits or {}).items():
            resource.prlimit(self.pid, kind, (most, most))
        self.url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"demo.py does not answer: {self.stop()}")
            time.sleep(0.1)

    @property
    def operator_link(self) -> str:
        """The address by which a browser becomes the operator's, as the page has printed it."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(r"^Operator: (\S+operator\?key=\S+)$", self.printed(), re.MULTILINE)):
            if time.monotonic() > end:
                raise RuntimeError(f"demo.py prints no link for the operator: {self.printed()}")
            time.sleep(0.1)
        return found[1]

    @property
    def operator_key(self) -> str:
        """The key in that link."""
        return self.operator_link.partition("key=")[2]

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        """End it, by default like Ctrl-C. Returns all it has printed."""
        self._process.send_signal(how)
        self._process.wait(timeout=PATIENCE)
        printed = self.printed()
        self._temporary.cleanup()
        return f"{printed}exit status {self._process.returncode}\n"

    def printed(self) -> str:
        """Return what it has printed and logged so far."""
        return self._output.read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url):
                return True
        except urllib.error.URLError:
            return False
