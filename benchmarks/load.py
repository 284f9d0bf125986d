"""Load one server by Locust or wrk, each in a process of its own, and read what they measured."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from settings import ROOT

RESULTS = ROOT / "benchmarks" / "results"
ANSWER, REFUSED = "answer", "answer refused (429)"  # as locustfile.py calls them; it runs alone, and patches sockets


@dataclass(frozen=True)
class Outcome:
    """Answers of one run: how many in all and a second, latency in ms, how many failed or were refused with 429."""

    count: int
    per_second: float
    average: float
    p50: float
    p95: float
    p99: float
    failures: int
    refused: int


def locust(url: str, users: str | Sequence[str], count: int, seconds: int, drawings: Path, name: str = "") -> Outcome:
    """Run `count` users of these classes of locustfile.py, measured once all have started. Keeps RESULTS/name.csv."""
    classes = [users] if isinstance(users, str) else users
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "locustfile.py"), *classes),
            *("--headless", "--users", str(count), "--spawn-rate", str(count), "--run-time", f"{seconds}s"),
            *("--host", url, "--csv", f"{folder}/run", "--only-summary", "--reset-stats"),
            *("--stop-timeout", "20", "--loglevel", "ERROR", "--exit-code-on-error", "0"),
        ]
        environment = os.environ | {"BENCH_DRAWINGS": str(drawings)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        failures = Path(folder, "run_failures.csv").read_text()
        if failures.count("\n") > 1:
            print(f"Failures, as Locust lists them:\n{failures}", file=sys.stderr)
        if name:
            shutil.copy(Path(folder, "run_stats.csv"), RESULTS / f"{name}.csv")
        return read_csv(Path(folder, "run_stats.csv"))


def read_csv(file: Path) -> Outcome:
    """Read the line of the answers from Locust's CSV. Raises RuntimeError when nothing was answered."""
    with file.open() as text:
        lines = {line["Name"]: line for line in csv.DictReader(text)}
    if ANSWER not in lines:
        raise RuntimeError(f"Nothing was answered: {file.with_name('run_failures.csv').read_text()}")
    line = lines[ANSWER]
    return Outcome(
        count=int(line["Request Count"]),
        per_second=float(line["Requests/s"]),
        average=float(line["Average Response Time"]),
        p50=float(line["50%"]),
        p95=float(line["95%"]),
        p99=float(line["99%"]),
        failures=int(line["Failure Count"]),
        refused=int(lines.get(REFUSED, {}).get("Request Count", 0)),
    )


WRK = """
local bodies, turn = {}, 0
function init(arguments)
    for number = 1, #arguments do
        local file = io.open(arguments[number], "rb")
        bodies[number] = file:read("*a")
        file:close()
    end
end
function request()
    turn = turn % #bodies + 1
    return wrk.format("POST", wrk.path, {["Content-Type"] = "KIND"}, bodies[turn])
end
function done(summary, latency)
    local failed = summary.errors
    io.write(string.format("OUTCOME [%d, %f, %f, %f, %f, %f, %d]", summary.requests, summary.duration,
        latency.mean, latency:percentile(50), latency:percentile(95), latency:percentile(99),
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
"""


def wrk(url: str, kind: str, connections: int, seconds: int, drawings: Path) -> Outcome:
    """Run wrk with so many connections in one thread; `kind` is the files' Content-Type."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK.replace("KIND", kind))
        script.flush()
        files = [str(file) for file in sorted(drawings.iterdir())]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", script.name, url]
        done = subprocess.run([*command, "--", *files], check=True, capture_output=True, text=True)
    count, micros, mean, p50, p95, p99, failures = json.loads(done.stdout.partition("OUTCOME ")[2])
    return Outcome(count, 1e6 * count / micros, mean / 1e3, p50 / 1e3, p95 / 1e3, p99 / 1e3, failures, 0)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, the first column aligned left and the others right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
