"""The program of a decoding worker: encoded pictures in, prepared images out, over a socket.

It holds no model, so a promotion does not affect it, and a picture that crashes a decoder crashes only this process.
"""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

import numpy as np

from experiments.data.specs import SPECS
from experiments.preprocessing.decoding import PNG
from serving.core.errors import Refused
from serving.prediction.prepare import prepare_picture

REQUEST = struct.Struct("<II")  # position of the data set among SPECS, bytes of the picture that follows
REPLY = struct.Struct("<II")  # bytes of the image that follows, of the JSON of a refusal; a blank has neither
NICE = 15  # below the server's process and a browser on the same machine
HINT = "Send a still PNG, JPEG or WebP of up to 50 megapixels."
Outcome = np.ndarray | Refused | None
"""A prepared image, uint8 [H, W, C], the reason why there is none, or None for a blank."""


def prepare_web_picture(dataset: str, data: bytes) -> Outcome:
    """Prepare a picture that a program sent, which has to be a still PNG, JPEG or WebP."""
    if not data.startswith((PNG, b"\xff\xd8\xff", b"RIFF")):
        return Refused(400, "bad_image", "This is not a PNG, JPEG or WebP.", HINT)
    if _is_animated(data):
        return Refused(422, "animated", "The picture is animated.", HINT)
    prepared = prepare_picture(dataset, [data])
    return prepared if isinstance(prepared, Refused) else prepared.image


def pack_requests(dataset: str, pictures: Sequence[bytes]) -> bytes:
    """One request for each of the encoded pictures."""
    position = list(SPECS).index(dataset)
    return b"".join(part for picture in pictures for part in (REQUEST.pack(position, len(picture)), picture))


def unpack_reply(pixels: bytes, refusal: bytes, shape: tuple[int, ...]) -> Outcome:
    """Decode the two parts of a reply. shape: of an image."""
    if refusal:
        return Refused(*json.loads(refusal))
    return np.frombuffer(pixels, np.uint8).reshape(shape) if pixels else None


def _pack_reply(outcome: Outcome) -> bytes:
    pixels = outcome.tobytes() if isinstance(outcome, np.ndarray) else b""
    refusal = b""
    if isinstance(outcome, Refused):
        refusal = json.dumps([outcome.status, outcome.code, outcome.message, outcome.hint]).encode()
    return REPLY.pack(len(pixels), len(refusal)) + pixels + refusal


def _is_animated(data: bytes) -> bool:
    if data[:4] == b"RIFF":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 2)
    return data.startswith(PNG) and b"acTL" in data[: max(data.find(b"IDAT"), 0)]


def _read(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def main(descriptor: int, prepare: Callable[[str, bytes], Outcome] = prepare_web_picture) -> None:
    """Answer requests, each before the next is read, until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(NICE)
    datasets = list(SPECS)
    for dataset in datasets:  # warm up
        SPECS[dataset].prepare(np.pad(np.zeros((40, 8, 3), np.uint8), ((9, 9), (9, 9), (0, 0)), constant_values=255))
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as stream:
        try:
            connection.sendall(_pack_reply(None))  # ready
            while True:
                position, size = REQUEST.unpack(_read(stream, REQUEST.size))
                connection.sendall(_pack_reply(prepare(datasets[position], _read(stream, size))))
        except (EOFError, ConnectionError):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
