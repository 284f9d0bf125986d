"""The reader processes: they decode and prepare pictures beside the event loop, which stays free for people."""

import asyncio
import collections
import itertools
import logging
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.core.limits import MIB, overloaded
from serving.prediction.worker import HEAD, Refusal, ask, read_picture, understand
from settings import ROOT

DEPTH = 2  # questions a reader holds: while it answers one the next is there already
STUCK = 10.0  # s that a reader may take for one picture before it is replaced
LONGEST = 12.0  # s after which nobody waits for a single picture any more; nginx asks another replica after 15
ENVIRONMENT = {
    "OPENCV_FOR_THREADS_NUM": "1",
    # The pixels of one picture are kept for the next rather than handed back: a third off the time to decode it.
    "MALLOC_MMAP_THRESHOLD_": str(8 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
    "PILLOW_BLOCKS_MAX": "4",
}
UNREADABLE: Refusal = (422, "unreadable", "Reading the picture ended the process that tried, or took it too long.")
Found = list[np.ndarray | Refusal | None]
Read = np.ndarray | Refused | None
"""An image as the data set has them, why there is none, or None for a blank."""


@dataclass
class Job:
    """Pictures of one data set on their way to a reader."""

    dataset: str
    pictures: Sequence[bytes]
    found: "asyncio.Future[Found]"
    since: float  # when it was asked for, by the clock; infinity for one that may take as long as it likes
    read: Found = field(default_factory=list)  # of the first of them

    @property
    def complete(self) -> bool:
        """Whether none is left."""
        return len(self.read) == len(self.pictures)

    def add(self, read: Found) -> None:
        """What became of the next ones."""
        self.read += read
        if self.complete and not self.found.done():  # whoever asked may have left
            self.found.set_result(self.read)


class WorkerPool:
    """`count` processes for every data set, started by start() in the event loop that read() is awaited in.

    Until they are up, and where there are none, threads read. One that ends is replaced and what it had not begun is
    read by another; the picture that it ended over is refused, for it would end the next one too.
    """

    def __init__(
        self, count: int, program: str = "serving.prediction.worker", stuck: float = STUCK, longest: float = LONGEST
    ) -> None:
        """program: the module that each process runs; stuck, longest: seconds, as above."""
        self._count, self._program, self._stuck, self._longest = count, program, stuck, longest
        self._pool: list[_Reader] = []  # that are up
        self._starting: list[_Reader] = []
        self._single: collections.deque[Job] = collections.deque()
        self._bulk: collections.deque[Job] = collections.deque()
        self._turn, self._watch, self._closed = 0, None, False

    async def start(self) -> None:
        """Start the processes; returns at once."""
        for _ in range(self._count):
            await self._add()
        self._watch = asyncio.create_task(self._end_long_waits())

    async def read(self, dataset: str, pictures: Sequence[bytes], bulk: bool = False) -> list[Read]:
        """pictures: encoded ones, prepared as the data set has its own. Those of a batch (`bulk`) wait while single
        ones are read, three to one. Raises Refused where single ones have to wait too long."""
        if self._pool:
            found = await self._ask(dataset, pictures, bulk)
        else:
            found = await asyncio.get_running_loop().run_in_executor(None, _read_here, dataset, pictures)
        return [_refused(each) if isinstance(each, tuple) else each for each in found]

    async def _ask(self, dataset: str, pictures: Sequence[bytes], bulk: bool) -> Found:
        since = math.inf if bulk else time.monotonic()
        job = Job(dataset, pictures, asyncio.get_running_loop().create_future(), since)
        (self._bulk if bulk else self._single).append(job)
        self._hand_out()
        return await job.found

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        for reader in (*self._pool, *self._starting):
            reader.transport.close()
        for job in (*self._single, *self._bulk):
            job.found.cancel()

    @property
    def processes(self) -> list[int]:
        """Their process ids."""
        return [reader.process.pid for reader in self._pool]

    async def _add(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", self._program, str(theirs.fileno())]
        environment = os.environ | ENVIRONMENT
        with theirs:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Reader(self, process), sock=ours)

    def begun(self, reader: "_Reader") -> None:
        """A reader is starting."""
        self._starting.append(reader)
        if self._closed:
            reader.transport.close()

    def up(self, reader: "_Reader") -> None:
        """A reader has started."""
        self._starting.remove(reader)
        self._pool.append(reader)

    def lost(self, reader: "_Reader") -> None:
        """A reader has ended: what it had not begun goes to another, and another takes its place."""
        (self._pool if reader.up else self._starting).remove(reader)
        reader.process.kill()
        reader.process.wait()
        if self._closed:
            for job in reader.jobs:
                job.found.cancel()
            return
        logging.getLogger(__name__).warning("A reader process has ended (%s); another is started.", reader.process.pid)
        if reader.jobs:
            reader.jobs[0].add([UNREADABLE])  # the one that it was at
        self._single.extendleft(reversed(reader.jobs))
        asyncio.get_running_loop().create_task(self._refill())

    async def _refill(self) -> None:
        await asyncio.sleep(0.2)  # one that can't start is not tried again at once
        if not self._closed:
            await self._add()

    def _hand_out(self) -> None:
        for depth in range(DEPTH):
            for reader in self._pool:
                if len(reader.jobs) == depth and (job := self._next()):
                    reader.send(job)

    def _next(self) -> Job | None:
        self._turn += 1
        first, second = (self._bulk, self._single) if self._turn % 4 == 0 else (self._single, self._bulk)
        for waiting in (first, second):
            while waiting:
                job = waiting.popleft()
                if not job.found.done():  # nor anyone waits for it any more
                    return job
        return None

    def freed(self) -> None:
        """A reader can take another job."""
        if self._single or self._bulk:
            self._hand_out()

    async def _end_long_waits(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._stuck, self._longest))
            now = time.monotonic()
            for reader in self._pool:
                if reader.jobs and now - reader.since > self._stuck:
                    reader.process.kill()
            # One look for all: a timer for each would cost every answer.
            for job in itertools.chain(self._single, *(reader.jobs for reader in self._pool)):
                if now - job.since > self._longest and not job.found.done():
                    job.found.set_exception(overloaded())


class _Reader(asyncio.Protocol):
    """One process, as seen from the event loop."""

    transport: asyncio.Transport

    def __init__(self, pool: WorkerPool, process: subprocess.Popen) -> None:
        self.process, self._pool = process, pool
        self.jobs: collections.deque[Job] = collections.deque()
        self.up = False  # it says so by an answer to nothing
        self.since = 0.0  # when it began the first of its jobs
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._pool.begun(self)

    def send(self, job: Job) -> None:
        """Have it read this too."""
        if not self.jobs:
            self.since = time.monotonic()
        self.jobs.append(job)
        self.transport.write(ask(job.dataset, job.pictures[len(job.read) :]))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEAD.size:
            pixels, notes = HEAD.unpack_from(self._buffer)
            end = HEAD.size + pixels + notes
            if len(self._buffer) < end:
                return
            parts = bytes(self._buffer[HEAD.size : HEAD.size + pixels]), bytes(self._buffer[HEAD.size + pixels : end])
            del self._buffer[:end]
            if self.up:
                self._settle(*parts)
            else:
                self.up = True
                self._pool.up(self)
        self._pool.freed()

    def _settle(self, pixels: bytes, notes: bytes) -> None:
        job = self.jobs[0]
        self.since = time.monotonic()
        job.add(understand(pixels, notes, SPECS[job.dataset].image_shape))
        if job.complete:
            self.jobs.popleft()

    def connection_lost(self, _error: Exception | None) -> None:
        self._pool.lost(self)


def _read_here(dataset: str, pictures: Sequence[bytes]) -> Found:
    return [read_picture(SPECS[dataset].prepare, picture) for picture in pictures]


def _refused(refusal: Refusal) -> Refused:
    status, code, message = refusal
    return Refused(status, code, message, "Send a still PNG, JPEG or WebP of up to 50 megapixels.")
