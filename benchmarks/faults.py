"""Measure the server while its database or MLflow hangs, is down or is slow: `python -m benchmarks.faults`, 20 minutes.

For each fault a page is loaded at a fixed rate, healthy and then with the fault; the fault ends, and what was confirmed
is looked for; then the page is stopped during the same fault. Writes benchmarks/results/faults.md.
"""

import argparse
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import drawings
from benchmarks.faulty_system import FAULTS, Correction, FaultySystem, Period, Stop
from benchmarks.load import RESULTS, table

HEADINGS = (
    "fault", "answers", "failures", "p50 ms", "p99 ms", "× healthy p50", "× healthy p99", "not ready",
    "corrections kept, refused, lost", "recovered after s", "answers lost", "SIGTERM: s, status", "lost by the stop",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """All that was measured of one fault. recovered: s until everything confirmed was kept; None if never."""

    fault: str
    healthy: Period
    faulty: Period
    recovered: float | None
    answers_lost: int
    corrections_lost: int
    stop: Stop


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="with and without each fault (default: 60)")
    parser.add_argument("--rate", type=float, default=50, help="predictions a second (default: 50)")
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS), help="these faults")
    arguments = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name, ExitStack() as running:
        drawings.write(Path(name) / "png")
        system = running.enter_context(FaultySystem(Path(name), arguments.rate, arguments.seconds))
        for fault in arguments.only:
            outcomes.append(measure(system, fault))
            print(" | ".join(line(outcomes[-1])), flush=True)
    text = report(outcomes, arguments.seconds, arguments.rate)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "faults.md").write_text(text)
    print(text)


def measure(system: FaultySystem, name: str) -> Outcome:
    """Measure one fault on a page and a database of its own."""
    fault = FAULTS[name]
    with system.page(slow=fault.slow):
        healthy = system.load()
        fault.begin(system)
        faulty = system.load()
        fault.end(system)
        recovered = system.wait_until_recovered([healthy, faulty])
        answers_lost, corrections_lost = system.lost([healthy, faulty])
        fault.begin(system)
        try:
            stop = system.stop()
        finally:
            fault.end(system)
        return Outcome(name, healthy, faulty, recovered, answers_lost, corrections_lost, system.lost_by(stop))


def report(outcomes: list[Outcome], seconds: float, rate: float) -> str:
    """Return the table, and below it what refused corrections were told."""
    text = f"{os.cpu_count()} cores, load generator, database and MLflow included; {rate:g} predictions a second, "
    text += f"{seconds:g} s healthy and {seconds:g} s with each fault.\n\n"
    text += table(HEADINGS, [line(outcome) for outcome in outcomes])
    for outcome in outcomes:
        for message in sorted({told.message for told in outcome.faulty.corrections if not told.confirmed}):
            text += f"\n- {outcome.fault}: a correction is not kept: {message}"
    return text.rstrip("\n") + "\n"


def line(outcome: Outcome) -> list[str]:
    """Return the cells of a row."""
    healthy, faulty, stop = outcome.healthy, outcome.faulty, outcome.stop
    before, now = latencies(healthy), latencies(faulty)
    return [
        outcome.fault,
        str(len(faulty.answers)),
        str(failures(faulty)),
        *(f"{value:.1f}" for value in now),
        *(f"{value / other:.2f}" for value, other in zip(now, before, strict=True)),
        f"{faulty.ready.count(False)} of {len(faulty.ready)}",
        f"{', '.join(map(str, tally(faulty.corrections)))}, {outcome.corrections_lost}",
        "never" if outcome.recovered is None else f"{outcome.recovered:.1f}",
        str(outcome.answers_lost),
        f"{stop.seconds:.1f}, {stop.status}",
        f"{stop.lost} of {stop.confirmed}",
    ]


def latencies(period: Period) -> tuple[float, float]:
    """Return p50 and p99 in ms, failures included."""
    times = [answer.milliseconds for answer in period.answers]
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99)


def failures(period: Period) -> int:
    """Count the predictions that were not answered with 200."""
    return sum(answer.status != 200 for answer in period.answers)


def tally(corrections: list[Correction]) -> tuple[int, int]:
    """Count the corrections that were confirmed, and those that were not."""
    confirmed = sum(correction.confirmed for correction in corrections)
    return confirmed, len(corrections) - confirmed


if __name__ == "__main__":
    main()
