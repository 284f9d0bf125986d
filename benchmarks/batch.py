"""Measure a batch of 1,000 small pictures: `python -m benchmarks.batch`."""

import io
import json
import statistics
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

from benchmarks import drawings
from benchmarks.peers import demo
from benchmarks.processes import free_ports

COUNT, TIMES = 1000, 9


def main() -> None:
    """Print pictures a second: the median of TIMES calls after one warm-up call."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for number, picture in enumerate(drawings.small(COUNT)):
            archive.writestr(f"{number}.png", picture)
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="batch-") as folder:
        server = demo(port, Path(folder))
        try:
            rates = [COUNT / call(port, body.getvalue()) for _ in range(TIMES + 1)][1:]
        finally:
            server.stop()
    low, high = drawings.SMALL
    print(f"{COUNT:,} PNGs of {low} to {high} px in one call: {statistics.median(rates):.0f} pictures a second")
    print(f"(median of {TIMES} calls, {min(rates):.0f} to {max(rates):.0f})")


def call(port: int, body: bytes) -> float:
    """Return the seconds one call took. Raises RuntimeError when a picture was not answered."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/predict/batch", body, {"Content-Type": "application/zip"}
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request) as reply:  # noqa: S310
        content = reply.read()
    seconds = time.perf_counter() - started
    if errors := [result["error"] for result in json.loads(content)["results"] if result["error"]]:
        raise RuntimeError(f"{len(errors)} pictures were not answered: {errors[0]}")
    return seconds


if __name__ == "__main__":
    main()
