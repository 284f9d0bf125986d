"""Recently answered drawings, kept in memory so that a correction can be stored with its drawing."""

import collections
import threading
from collections.abc import Sequence

from PIL import Image

from experiments.preprocessing.decoding import ImageError, decode_image
from serving.core.images import encode_png
from serving.core.limits import MIB
from serving.prediction.prepare import flatten

SIDE = 400  # px, longest side of a drawing stored with a correction


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

    def drawing(self, request_id: str) -> bytes | None:
        """Return the drawing as one PNG of at most SIDE px; None if it is no longer kept."""
        with self._lock:
            sheets = self._kept.get(request_id)
        return small_png(sheets) if sheets else None


def small_png(sheets: Sequence[bytes]) -> bytes | None:
    """Encode a drawing or photo anew, at most SIDE px and without metadata; None if it can't be decoded."""
    try:
        small = Image.fromarray(flatten([decode_image(sheet) for sheet in sheets]))
    except ImageError:
        return None
    small.thumbnail((SIDE, SIDE))
    return encode_png(small)


def _size(sheets: Sequence[bytes]) -> int:
    return sum(map(len, sheets))
