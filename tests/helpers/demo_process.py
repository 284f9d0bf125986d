"""demo.py as a program of its own on a free port, with the shipped model: no store is there to take another from."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from settings import ROOT

PATIENCE = 60.0  # s, for a busy machine


class DemoProcess:
    """Starts `python demo.py` with flags and returns once its page answers at `url`."""

    def __init__(self, *flags: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self._nothing = tempfile.TemporaryDirectory()
        # MLflow sets its variable in the process that runs the other tests, which this one would inherit.
        no_store = {
            "MLFLOW_TRACKING_URI": f"sqlite:///{self._nothing.name}/none.db",
            "DEMO_ARTIFACT_DIR": self._nothing.name,
        }
        self._process = subprocess.Popen(
            [sys.executable, "demo.py", "--port", str(port), *flags],
            cwd=ROOT, env=os.environ | no_store, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"demo.py does not answer: {self.stop()}")
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        """End it, by default like Ctrl-C. Returns all it has printed."""
        self._process.send_signal(how)
        printed, _ = self._process.communicate(timeout=PATIENCE)
        self._nothing.cleanup()
        return f"{printed}exit status {self._process.returncode}\n"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url):
                return True
        except urllib.error.URLError:
            return False
