"""What the server's process and a decoding worker send to one another."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.data.specs import SPECS
from experiments.numbers.candidates import Candidate, Cuts, Row
from serving.core.errors import Refused
from serving.prediction.prepare import Outcome, Prepared, Sheets, Wanted

REQUEST = struct.Struct("<BBHH")  # position of the data set among SPECS, flags, preview in px, number of sheets
SIZE = struct.Struct("<I")  # bytes of the sheet that follows
REPLY = struct.Struct("<7I")  # bytes of images, preview, and JSON of the rest; and a box, all 0 where there is none
NO_BOX = (0, 0, 0, 0)
ANSWERED, LARGE = 1, 2
SPLITS: dict[Cuts | None, int] = {None: 0, "none": 4, "wide": 8, "every": 12}
DATASETS = list(SPECS)


def pack_request(wanted: Wanted, sheets: Sheets, large: bool) -> list[bytes]:
    """The parts of a request to prepare one drawing or photo. large: it may take long."""
    flags = ANSWERED * wanted.answered | LARGE * large | SPLITS[wanted.split]
    parts = [REQUEST.pack(DATASETS.index(wanted.dataset), flags, wanted.preview, len(sheets))]
    for sheet in sheets:
        parts += (SIZE.pack(len(sheet)), sheet)
    return parts


def read_request(read: Callable[[int], bytes]) -> tuple[Wanted, Sheets, bool]:
    """Read a request. read: returns so many bytes or raises."""
    position, flags, preview, count = REQUEST.unpack(read(REQUEST.size))
    (split,) = (name for name, flag in SPLITS.items() if flags & max(SPLITS.values()) == flag)
    wanted = Wanted(DATASETS[position], bool(flags & ANSWERED), preview, split)
    sheets = [read(SIZE.unpack(read(SIZE.size))[0]) for _ in range(count)]
    return wanted, sheets, bool(flags & LARGE)


def pack_reply(outcome: Outcome) -> bytes:
    """The reply to one request."""
    image, preview, rest, box = b"", b"", b"", NO_BOX
    if isinstance(outcome, Refused):
        rest = json.dumps({"refused": [outcome.status, outcome.code, outcome.message, outcome.hint]}).encode()
    elif outcome.rows is None:
        rest = json.dumps({"rows": None}).encode()
    elif outcome.rows:
        image = b"".join(candidate.image.tobytes() for row in outcome.rows for candidate in row.candidates)
        rest = json.dumps({"rows": [_pack_row(row) for row in outcome.rows]}).encode()
    else:
        image, preview = b"" if outcome.image is None else outcome.image.tobytes(), outcome.preview
        rest, box = json.dumps({"size": outcome.size}).encode() if preview else b"", outcome.box or NO_BOX
    return REPLY.pack(len(image), len(preview), len(rest), *box) + image + preview + rest


def take_reply(buffer: bytearray, dataset: str) -> Outcome | None:
    """Take a reply from the beginning of the buffer; None if it is not complete."""
    if len(buffer) < REPLY.size:
        return None
    image, preview, rest, *box = REPLY.unpack_from(buffer)
    end = REPLY.size + image + preview + rest
    if len(buffer) < end:
        return None
    reply = bytes(buffer[REPLY.size : end])
    del buffer[:end]
    told = json.loads(reply[image + preview :]) if rest else {}
    if "refused" in told:
        return Refused(*told["refused"])
    if "rows" in told and told["rows"] is None:
        return Prepared(None, rows=None)
    if "rows" in told:
        images = np.frombuffer(reply[:image], np.uint8).reshape(-1, *SPECS[dataset].image_shape)
        return Prepared(None, rows=_take_rows(told["rows"], images))
    pixels = np.frombuffer(reply[:image], np.uint8).reshape(SPECS[dataset].image_shape) if image else None
    size = tuple(told.get("size", (0, 0)))
    return Prepared(pixels, reply[image : image + preview], tuple(box) if any(box) else None, size)


def _pack_row(row: Row) -> tuple[int, list[Any]]:
    return row.pieces, [(each.first, each.last, each.box, each.whole, each.height) for each in row.candidates]


def _take_rows(told: list[Any], images: np.ndarray) -> tuple[Row, ...]:
    left = iter(images)
    return tuple(
        Row(pieces, [Candidate(first, last, tuple(box), next(left), *rest) for first, last, box, *rest in candidates])
        for pieces, candidates in told
    )
