"""Send drawings to a server at a fixed rate, whether or not earlier ones are answered, and print what came of each.

`python -m benchmarks.open_loop URL FOLDER --rate 50 --seconds 60`, from a process of its own. Latency counts from the
moment at which a request was due.
"""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import httpx

from settings import ROOT

PATIENCE = 60.0  # s
AT_ONCE = 200  # requests under way at most; an address may have 256 connections


@dataclass(frozen=True)
class Answer:
    """What came of a request. status: 0 without an answer; id: under which the history keeps it, empty on failure."""

    milliseconds: float
    status: int
    id: str


def main() -> None:
    """Print a JSON list of the answers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.open_loop", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("drawings", type=Path, help="folder of pictures")
    parser.add_argument("--rate", type=float, default=50, help="requests a second (default: 50)")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    drawings = [file.read_bytes() for file in sorted(arguments.drawings.iterdir())]
    with httpx.Client(base_url=arguments.url, timeout=PATIENCE, trust_env=False, limits=httpx.Limits()) as client:

        def ask(number: int) -> Answer:
            due = begin + number / arguments.rate
            time.sleep(max(0.0, due - time.monotonic()))
            return predict(client, drawings[number % len(drawings)], due)

        begin = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(ask, range(round(arguments.rate * arguments.seconds))))
    json.dump([asdict(answer) for answer in answers], sys.stdout)


def predict(client: httpx.Client, drawing: bytes, due: float) -> Answer:
    """Ask for one prediction, which was due at this time.monotonic()."""
    status, identity = 0, ""
    try:
        reply = client.post("/api/predict", content=drawing, headers={"Content-Type": "image/png"})
        status = reply.status_code
        identity = reply.json()["id"] if status == 200 else ""
    except httpx.HTTPError:
        pass
    return Answer(1000 * (time.monotonic() - due), status, identity)


class OpenLoop:
    """The same as a process, from its start to result() or the end of its block."""

    def __init__(self, url: str, drawings: Path, rate: float, seconds: float) -> None:
        command = [sys.executable, "-m", __name__, url, str(drawings), f"--rate={rate}", f"--seconds={seconds}"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def result(self) -> list[Answer]:
        """Wait for the last answer."""
        printed, _ = self._process.communicate()
        return [Answer(**answer) for answer in json.loads(printed)]


if __name__ == "__main__":
    main()
