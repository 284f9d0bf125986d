"""What a decoding worker runs, this module as a program: encoded pictures in, prepared images out, over a socket.

It knows no model, so that a promotion does not concern it, and a picture that crashes a decoder crashes only this.
"""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence

import numpy as np

from experiments.data.specs import SPECS
from experiments.preprocessing.decoding import PNG
from serving.core.errors import Refused
from serving.prediction.prepare import prepare_picture

REQUEST = struct.Struct("<III")  # position of the data set among SPECS, pictures, bytes that follow
REPLY = struct.Struct("<II")  # bytes of pixels, of JSON
SIZE = struct.Struct("<I")  # bytes of a picture
NICE = 15  # the server's process goes first, and whatever draws the page
HINT = "Send a still PNG, JPEG or WebP of up to 50 megapixels."
Outcome = np.ndarray | Refused | None
"""An image, uint8 [H, W, C] as its data set has them, why there is none, or None for a blank."""


def prepare_web_picture(dataset: str, data: bytes) -> Outcome:
    """data: an encoded picture as programs may send it, a still PNG, JPEG or WebP."""
    if not data.startswith((PNG, b"\xff\xd8\xff", b"RIFF")):
        return Refused(400, "bad_image", "This is no PNG, JPEG or WebP.", HINT)
    if _is_animated(data):
        return Refused(422, "animated", "The picture moves; a still one is needed.", HINT)
    prepared = prepare_picture(dataset, [data])
    return prepared if isinstance(prepared, Refused) else prepared.image


def pack_request(dataset: str, pictures: Sequence[bytes]) -> bytes:
    """The message that asks for these to be prepared as this data set has its own."""
    body = b"".join(part for picture in pictures for part in (SIZE.pack(len(picture)), picture))
    return REQUEST.pack(list(SPECS).index(dataset), len(pictures), len(body)) + body


def unpack_reply(pixels: bytes, notes: bytes, shape: tuple[int, ...]) -> list[Outcome]:
    """The two parts of a reply. shape: of one image."""
    images = iter(np.frombuffer(pixels, np.uint8).reshape(-1, *shape))
    return [next(images) if note == 1 else Refused(*note) if note else None for note in json.loads(notes)]


def _pack_reply(outcomes: Sequence[Outcome]) -> bytes:
    pixels = b"".join(outcome.tobytes() for outcome in outcomes if isinstance(outcome, np.ndarray))
    notes = json.dumps([_note(outcome) for outcome in outcomes]).encode()
    return REPLY.pack(len(pixels), len(notes)) + pixels + notes


def _note(outcome: Outcome) -> int | tuple[int, str, str, str] | None:
    if isinstance(outcome, Refused):
        return outcome.status, outcome.code, outcome.message, outcome.hint
    return None if outcome is None else 1


def _is_animated(data: bytes) -> bool:
    if data[:4] == b"RIFF":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 2)
    return data.startswith(PNG) and b"acTL" in data[: max(data.find(b"IDAT"), 0)]


def _receive(connection: socket.socket, count: int) -> bytes:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while view:
        received = connection.recv_into(view)
        if not received:
            raise EOFError
        view = view[received:]
    return bytes(buffer)


def _split(count: int, body: bytes) -> list[bytes]:
    pictures, start = [], 0
    for _ in range(count):
        (size,) = SIZE.unpack_from(body, start)
        pictures.append(body[start + SIZE.size : start + SIZE.size + size])
        start += SIZE.size + size
    return pictures


def main(descriptor: int, read: Callable[[str, bytes], Outcome] = prepare_web_picture) -> None:
    """Answer requests until the other end of the socket is closed. `read`: as prepare_web_picture."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(NICE)
    datasets = list(SPECS)
    for dataset in datasets:  # warm up
        SPECS[dataset].prepare(np.pad(np.zeros((40, 8, 3), np.uint8), ((9, 9), (9, 9), (0, 0)), constant_values=255))
    connection = socket.socket(fileno=descriptor)
    try:
        connection.sendall(_pack_reply([]))  # ready
        while True:
            position, count, size = REQUEST.unpack(_receive(connection, REQUEST.size))
            pictures = _split(count, _receive(connection, size))
            for picture in pictures:  # a reply each, so that the pool knows which one the process ended over
                connection.sendall(_pack_reply([read(datasets[position], picture)]))
    except (EOFError, ConnectionError):
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
