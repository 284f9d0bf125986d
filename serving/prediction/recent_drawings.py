"""Recently answered drawings, kept in memory so that a correction can be stored with its drawing."""

import collections
import threading
from collections.abc import Sequence

from serving.core.limits import MIB


class RecentDrawings:
    """Drawings by request id, from any thread. The oldest are dropped when they take more than `max_bytes`."""

    def __init__(self, max_bytes: int = 32 * MIB) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._kept: collections.OrderedDict[str, tuple[bytes, ...]] = collections.OrderedDict()
        self._lock = threading.Lock()

    def keep(self, request_id: str, sheets: Sequence[bytes]) -> None:
        """Keep a drawing. sheets: its encoded pictures, the lowest first."""
        with self._lock:
            self._bytes += _size(sheets) - _size(self._kept.pop(request_id, ()))
            self._kept[request_id] = tuple(sheets)
            while self._bytes > self._max_bytes:
                self._bytes -= _size(self._kept.popitem(last=False)[1])

    def sheets(self, request_id: str) -> tuple[bytes, ...]:
        """Return the drawing's encoded pictures; empty if it is no longer kept."""
        with self._lock:
            return self._kept.get(request_id, ())


def _size(sheets: Sequence[bytes]) -> int:
    return sum(map(len, sheets))
