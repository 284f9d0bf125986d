"""demo.py as a program of its own on a free port."""

import signal
import socket
import subprocess
import sys
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
        self._process = subprocess.Popen(
            [sys.executable, "demo.py", "--port", str(port), *flags],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}/"
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"demo.py does not answer: {self.stop()}")
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        """Ends it, as Ctrl-C does unless told otherwise, and returns all it has printed."""
        self._process.send_signal(how)
        printed, _ = self._process.communicate(timeout=PATIENCE)
        return f"{printed}exit status {self._process.returncode}\n"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url):
                return True
        except urllib.error.URLError:
            return False
