"""Run the project's nginx.conf on this machine with other names and ports."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from settings import ROOT

PATIENCE = 30.0  # s


def configuration(listen: int, replicas: Sequence[int]) -> str:
    """Return nginx.conf with loopback ports in place of its own and the replicas' addresses."""
    text = (ROOT / "nginx.conf").read_text()
    text, count = re.subn(r"listen 8080;", f"listen 127.0.0.1:{listen};", text)
    for number, port in enumerate(replicas, 1):
        text, found = re.subn(rf"app-{number}:7860\b", f"127.0.0.1:{port}", text)
        count += found
    if count != 1 + 2 * len(replicas) or "app-" in text:
        raise ValueError("nginx.conf does not name the replicas as expected.")
    return text


class Nginx:
    """A real nginx with the project's configuration at `url`, until stop()."""

    def __init__(self, listen: int, replicas: Sequence[int]) -> None:
        if not shutil.which("nginx"):
            raise FileNotFoundError("nginx is not installed (Debian: apt install nginx-light).")
        self.url = f"http://127.0.0.1:{listen}"
        self._folder = tempfile.TemporaryDirectory(prefix="nginx-")
        folder = Path(self._folder.name)
        (folder / "nginx.conf").write_text(configuration(listen, replicas))
        self.log = folder / "access.log"
        # As root, nginx would give its work to a user who may not write to the folder of temporary files.
        options = "daemon off; user root;" if os.getuid() == 0 else "daemon off;"
        command = ["nginx", "-p", f"{folder}/", "-c", str(folder / "nginx.conf"), "-g", options]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._wait()

    def stop(self) -> None:
        """End nginx."""
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._folder.cleanup()

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/nginx-health", timeout=1):  # noqa: S310
                    return
            except (OSError, urllib.error.URLError):
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"nginx does not answer: {self.log.read_text()}") from None
                time.sleep(0.05)
