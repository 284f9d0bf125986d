"""The memory of a process and of those it has started, watched in a thread."""

import threading
import time
from contextlib import suppress

import psutil

MB = 1_000_000
PAUSE = 0.05  # s between two looks


class MemoryWatch:
    """Within the block, the most MB held: `page` by the process itself, `workers` by all that it has started."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.page = self.workers = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def look(self) -> tuple[float, float]:
        """Return the MB of the process, and of those it has started, now."""
        page, workers = resident_mb(self._process), 0.0
        for child in self._process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                workers += resident_mb(child)
        self.page, self.workers = max(self.page, page), max(self.workers, workers)
        return page, workers

    def page_falls_to(self, most: float, patience: float) -> bool:
        """Wait until the process holds so many MB at most."""
        end = time.monotonic() + patience
        while self.look()[0] > most:
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    def _run(self) -> None:
        while not self._ended.wait(PAUSE):
            with suppress(psutil.NoSuchProcess):  # the page is gone, which whoever asks it will see
                self.look()


def resident_mb(process: psutil.Process) -> float:
    """Return the physical memory that a process holds."""
    return float(process.memory_info().rss / MB)
