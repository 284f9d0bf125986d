"""Load the server with 200 users of all kinds for five minutes: `python -m benchmarks.mixed`.

Programs, people on the page and senders of batches, 35 to 4 to 1, pause about a second between answers. Writes
benchmarks/results/mixed.md, memory included.
"""

import argparse
import os
import tempfile
import threading
from pathlib import Path

from benchmarks import drawings
from benchmarks.load import RESULTS, locust, table
from benchmarks.peers import demo
from benchmarks.processes import Server, free_ports
from benchmarks.replicas import HEADINGS, cells

KINDS = ("ThinkingApiUser", "PageUser", "BatchUser")


def main() -> None:
    """Print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mixed", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="of the load (default: 300)")
    parser.add_argument("--users", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mixed-") as name:
        folder = Path(name)
        drawings.write(folder / "png")
        (port,) = free_ports(1)
        server = demo(port, folder / "state")
        try:
            memory = Memory(server)
            outcome = locust(
                f"http://127.0.0.1:{port}", KINDS, arguments.users, arguments.seconds, folder / "png", "mixed"
            )
            memory.stop()
        finally:
            server.stop()
    text = f"{os.cpu_count()} cores, load generator included; {arguments.seconds} s.\n\n"
    text += table(HEADINGS, [["all answers", str(arguments.users), *cells(outcome)]])
    tenth = max(1, len(memory.megabytes) // 10)
    parts = [memory.megabytes[start : start + tenth] for start in range(0, len(memory.megabytes), tenth)]
    text += f"\nMemory in MB, ten parts of the time: {', '.join(f'{sum(part) / len(part):.0f}' for part in parts)}\n"
    (RESULTS / "mixed.md").write_text(text)
    print(text)


class Memory:
    """A thread that records a server's memory every other second."""

    def __init__(self, server: Server) -> None:
        self.megabytes: list[float] = []
        self._server, self._ended = server, threading.Event()
        self._thread = threading.Thread(target=self._note)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _note(self) -> None:
        while not self._ended.wait(2):
            self.megabytes.append(self._server.megabytes())


if __name__ == "__main__":
    main()
