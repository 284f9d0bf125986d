"""The program of a decoding worker: encoded pictures in, prepared images out, over a socket.

It holds no model, so a promotion does not affect it, and a picture that crashes a decoder crashes only this process.
"""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from experiments.data.specs import SPECS
from serving.prediction.messages import pack_reply, read_request
from serving.prediction.prepare import Outcome, Prepared, Sheets, Wanted, prepare_picture

NICE = 15  # below the server's process and a browser on the same machine
CPU_SECONDS, CPU_SECONDS_LARGE = 1.5, 8.0  # of one picture; the dearest that are sound take 0.3 and 2.5, split 1.3
MEMORY = 1100 * 1024 * 1024  # bytes of the process; the dearest ordinary picture of 50 megapixels takes 1060


def main(descriptor: int, prepare: Callable[[Wanted, Sheets], Outcome] = prepare_picture) -> None:
    """Answer requests, each before the next is read, until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for spec in SPECS.values():  # warm up
        spec.prepare(np.pad(np.zeros((40, 8, 3), np.uint8), ((9, 9), (9, 9), (0, 0)), constant_values=255))
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as stream:
        try:
            connection.sendall(pack_reply(Prepared(None)))  # ready
            while True:
                wanted, sheets, large = read_request(lambda count: _read(stream, count))
                _limit_time(CPU_SECONDS_LARGE if large or wanted.split else CPU_SECONDS)
                reply = pack_reply(prepare(wanted, sheets))
                _limit_time(0)
                connection.sendall(reply)
        except (EOFError, ConnectionError):
            pass


def _limit_time(seconds: float) -> None:
    """Have the system end this process once it has used so many seconds of processor time; 0: no more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _read(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


if __name__ == "__main__":
    main(int(sys.argv[1]))
