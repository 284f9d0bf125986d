"""What the server's process and a decoding worker send to one another."""

import json
import struct
from collections.abc import Callable

import numpy as np

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.prediction.prepare import Outcome, Prepared, Sheets, Wanted

REQUEST = struct.Struct("<BBHH")  # position of the data set among SPECS, flags, preview in px, number of sheets
SIZE = struct.Struct("<I")  # bytes of the sheet that follows
REPLY = struct.Struct("<III")  # bytes of the image, the preview and the JSON of a refusal that follow; a blank has none
ANSWERED, LARGE = 1, 2
DATASETS = list(SPECS)


def pack_request(wanted: Wanted, sheets: Sheets, large: bool) -> list[bytes]:
    """The parts of a request to prepare one drawing or photo. large: it may take long."""
    flags = ANSWERED * wanted.answered | LARGE * large
    parts = [REQUEST.pack(DATASETS.index(wanted.dataset), flags, wanted.preview, len(sheets))]
    for sheet in sheets:
        parts += (SIZE.pack(len(sheet)), sheet)
    return parts


def read_request(read: Callable[[int], bytes]) -> tuple[Wanted, Sheets, bool]:
    """Read a request. read: returns so many bytes or raises."""
    position, flags, preview, count = REQUEST.unpack(read(REQUEST.size))
    wanted = Wanted(DATASETS[position], bool(flags & ANSWERED), preview)
    sheets = [read(SIZE.unpack(read(SIZE.size))[0]) for _ in range(count)]
    return wanted, sheets, bool(flags & LARGE)


def pack_reply(outcome: Outcome) -> bytes:
    """The reply to one request."""
    image = preview = refusal = b""
    if isinstance(outcome, Refused):
        refusal = json.dumps([outcome.status, outcome.code, outcome.message, outcome.hint]).encode()
    else:
        image, preview = b"" if outcome.image is None else outcome.image.tobytes(), outcome.preview
    return REPLY.pack(len(image), len(preview), len(refusal)) + image + preview + refusal


def take_reply(buffer: bytearray, dataset: str) -> Outcome | None:
    """Take a reply from the beginning of the buffer; None if it is not complete."""
    if len(buffer) < REPLY.size:
        return None
    image, preview, refusal = REPLY.unpack_from(buffer)
    end = REPLY.size + image + preview + refusal
    if len(buffer) < end:
        return None
    reply = bytes(buffer[REPLY.size : end])
    del buffer[:end]
    if refusal:
        return Refused(*json.loads(reply[image + preview :]))
    pixels = np.frombuffer(reply[:image], np.uint8).reshape(SPECS[dataset].image_shape) if image else None
    return Prepared(pixels, reply[image : image + preview])
