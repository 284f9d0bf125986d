"""Compare one process with three behind nginx that share a PostgreSQL: `python -m benchmarks.replicas`.

50, 100 and 200 API users without a pause. Writes benchmarks/results/replicas.md.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import drawings
from benchmarks.load import RESULTS, Outcome, locust, table
from benchmarks.peers import demo
from benchmarks.postgres import Postgres
from benchmarks.processes import free_ports
from benchmarks.proxy import Nginx

USERS = (50, 100, 200)
HEADINGS = ("", "users", "answers a second", "average ms", "p50 ms", "p95 ms", "p99 ms", "failures")


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="of each load (default: 20)")
    seconds = parser.parse_args().seconds
    rows = []
    with tempfile.TemporaryDirectory(prefix="replicas-") as name:
        folder = Path(name)
        drawings.write(folder / "png")
        for title, count in (("one process", 1), ("three behind nginx", 3)):
            with served(folder / title, count) as url:
                locust(url, "ApiUser", 10, 5, folder / "png")
                for users in USERS:
                    outcome = locust(url, "ApiUser", users, seconds, folder / "png", f"replicas-{count}-{users}")
                    rows.append([title, str(users), *cells(outcome)])
    text = f"{os.cpu_count()} cores for all, load generator and database included; {seconds} s each.\n\n"
    text += table(HEADINGS, rows)
    (RESULTS / "replicas.md").write_text(text)
    print(text)


@contextmanager
def served(folder: Path, count: int) -> Iterator[str]:
    """Run so many replicas with one history in PostgreSQL, behind nginx unless it is one. Yield the URL to load."""
    with ExitStack() as running:
        postgres = Postgres()
        running.callback(postgres.stop)
        postgres.create("history")
        shared = {"DATABASE_URL": f"{postgres.url}/history", "DEMO_OPERATOR_KEY": "unused"}
        shared["DEMO_TRUSTED_PROXIES"] = "127.0.0.1"
        ports = free_ports(count)
        for number, port in enumerate(ports):
            running.callback(demo(port, folder / str(number), **shared).stop)
        if count == 1:
            yield f"http://127.0.0.1:{ports[0]}"
            return
        nginx = Nginx(free_ports(1)[0], ports)
        running.callback(nginx.stop)
        yield nginx.url


def cells(outcome: Outcome) -> list[str]:
    """Return the cells of one row."""
    times = [f"{value:.1f}" for value in (outcome.average, outcome.p50, outcome.p95, outcome.p99)]
    return [f"{outcome.per_second:.0f}", *times, str(outcome.failures + outcome.refused)]


if __name__ == "__main__":
    main()
