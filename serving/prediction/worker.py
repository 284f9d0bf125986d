"""What a reader process runs, this module as a program: encoded pictures in, prepared images out, over a socket.

It knows no model, so that a promotion does not concern it, and a picture that breaks a decoder breaks only this.
"""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from experiments.data.specs import SPECS
from experiments.preprocessing.decoding import MAX_PIXELS, PNG, ImageError, decode_image

QUESTION = struct.Struct("<III")  # position of the data set among SPECS, pictures, bytes that follow
HEAD = struct.Struct("<II")  # of an answer: bytes of pixels, of JSON
SIZE = struct.Struct("<I")
NICE = 15  # the page's process goes first, and whatever draws the page
Refusal = tuple[int, str, str]
"""Why a picture can't be read: HTTP status, code and sentence."""


def read_picture(prepare: Callable[[np.ndarray], np.ndarray | None], data: bytes) -> np.ndarray | Refusal | None:
    """data: an encoded picture. Returns uint8 [H, W, C] as the data set has them, None for a blank, or a refusal."""
    if not data.startswith((PNG, b"\xff\xd8\xff", b"RIFF")):
        return 400, "bad_image", "This is no PNG, JPEG or WebP."
    if _is_animated(data):
        return 422, "animated", "The picture moves; a still one is needed."
    try:
        return prepare(decode_image(data))
    except ImageError as error:
        return _refusal(data, str(error))
    except MemoryError:
        return 413, "too_large", "The picture takes too much memory."


def ask(dataset: str, pictures: Sequence[bytes]) -> bytes:
    """The question that has these read as pictures of this data set."""
    body = b"".join(part for picture in pictures for part in (SIZE.pack(len(picture)), picture))
    return QUESTION.pack(list(SPECS).index(dataset), len(pictures), len(body)) + body


def understand(pixels: bytes, notes: bytes, shape: tuple[int, ...]) -> list[np.ndarray | Refusal | None]:
    """The parts of a message. shape: of one image."""
    images = iter(np.frombuffer(pixels, np.uint8).reshape(-1, *shape))
    return [next(images) if note == 1 else tuple(note) if note else None for note in json.loads(notes)]


def _answer(found: Sequence[np.ndarray | Refusal | None]) -> bytes:
    pixels = b"".join(each.tobytes() for each in found if isinstance(each, np.ndarray))
    notes = json.dumps([1 if isinstance(each, np.ndarray) else each for each in found]).encode()
    return HEAD.pack(len(pixels), len(notes)) + pixels + notes


def _is_animated(data: bytes) -> bool:
    if data[:4] == b"RIFF":
        return data[12:16] == b"VP8X" and len(data) > 20 and bool(data[20] & 2)
    return data.startswith(PNG) and b"acTL" in data[: max(data.find(b"IDAT"), 0)]


def _refusal(data: bytes, message: str) -> Refusal:
    import io

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                return 413, "too_large", f"The picture has more than {MAX_PIXELS:,} pixels."
    except Image.DecompressionBombError:
        return 413, "too_large", f"The picture has more than {MAX_PIXELS:,} pixels."
    except Exception:  # noqa: S110 Pillow raises almost anything; the message is already there
        pass
    return 400, "bad_image", message


def _receive(connection: socket.socket, count: int) -> bytes:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while view:
        got = connection.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return bytes(buffer)


def _split(count: int, body: bytes) -> list[bytes]:
    pictures, start = [], 0
    for _ in range(count):
        (size,) = SIZE.unpack_from(body, start)
        pictures.append(body[start + SIZE.size : start + SIZE.size + size])
        start += SIZE.size + size
    return pictures


def main(descriptor: int, read: Callable[..., np.ndarray | Refusal | None] = read_picture) -> None:
    """Answers until the other end of the socket is closed. `read`: as read_picture."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the page's to hear
    os.nice(NICE)
    prepares = [spec.prepare for spec in SPECS.values()]
    for prepare in prepares:
        prepare(np.pad(np.zeros((40, 8, 3), np.uint8), ((9, 9), (9, 9), (0, 0)), constant_values=255))  # warm
    connection = socket.socket(fileno=descriptor)
    try:
        connection.sendall(_answer([]))  # ready
        while True:
            position, count, size = QUESTION.unpack(_receive(connection, QUESTION.size))
            pictures = _split(count, _receive(connection, size))
            for picture in pictures:  # each by itself: whoever waits knows which one it ended over
                connection.sendall(_answer([read(prepares[position], picture)]))
    except (EOFError, ConnectionError):
        pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
