"""The decoding workers: processes that decode and prepare pictures, so that the event loop stays responsive."""

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
from typing import cast

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.core.limits import MIB, overloaded
from serving.prediction.worker import HINT, REPLY, Outcome, pack_requests, prepare_web_picture, unpack_reply
from settings import ROOT

DEPTH = 2  # work items sent to a worker at a time, so that it never waits for the next one
STUCK = 10.0  # s for one picture, after which its worker is replaced
LONGEST = 12.0  # s from request to 503 for a single picture; nginx asks another replica after 15
RESTART_DELAY = 0.2  # s before a worker is replaced, so that one that can't start is not tried again at once
ENVIRONMENT = {
    "OPENCV_FOR_THREADS_NUM": "1",
    # The pixels of one picture are kept for the next rather than handed back: a third off the time to decode it.
    "MALLOC_MMAP_THRESHOLD_": str(8 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
    "PILLOW_BLOCKS_MAX": "4",
}


@dataclass(eq=False)
class WorkItem:
    """Pictures of one data set to be prepared by one worker."""

    dataset: str
    pictures: Sequence[bytes]
    future: "asyncio.Future[list[Outcome]]"
    queued_at: float  # monotonic, s; infinity where there is no time limit
    outcomes: list[Outcome] = field(default_factory=list)  # of the first of the pictures

    @property
    def complete(self) -> bool:
        """Whether every picture has its outcome."""
        return len(self.outcomes) == len(self.pictures)

    def add(self, outcome: Outcome) -> None:
        """Take the outcome of the next picture."""
        self.outcomes.append(outcome)
        if self.complete and not self.future.done():  # the client may have left
            self.future.set_result(self.outcomes)


class WorkerPool:
    """`count` processes, each for every data set. Call start() in the event loop in which prepare() is awaited.

    Until the first is up, and where `count` is 0, threads do the work. A process that ends is replaced and the pictures
    it had not begun go to another; the one it was working on is refused, since it would end the next process too.
    """

    def __init__(
        self, count: int, program: str = "serving.prediction.worker", stuck: float = STUCK, longest: float = LONGEST
    ) -> None:
        """program: the module that each process runs; stuck, longest: see STUCK and LONGEST."""
        self._count, self._program, self._stuck, self._longest = count, program, stuck, longest
        self._workers: list[_Worker] = []  # up or starting
        self._single: collections.deque[WorkItem] = collections.deque()
        self._bulk: collections.deque[WorkItem] = collections.deque()
        self._turn, self._closed = 0, False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the processes without waiting until they are up."""
        for _ in range(self._count):
            await self._start_worker()
        self._watch = asyncio.create_task(self._end_long_waits())

    async def prepare(self, dataset: str, pictures: Sequence[bytes], bulk: bool = False) -> list[Outcome]:
        """Return an outcome for each of the encoded pictures, in order. Of every four work items one may be a batch's
        (`bulk`) while single pictures wait. Raises Refused 503 for single pictures that wait too long."""
        loop = asyncio.get_running_loop()
        if not any(worker.ready for worker in self._workers):
            return await loop.run_in_executor(None, _prepare_here, dataset, pictures)
        item = WorkItem(dataset, pictures, loop.create_future(), math.inf if bulk else time.monotonic())
        (self._bulk if bulk else self._single).append(item)
        self._hand_out()
        return await item.future

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        for worker in self._workers:
            worker.transport.close()
        for item in (*self._single, *self._bulk):
            item.future.cancel()

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that are up."""
        return [worker.process.pid for worker in self._workers if worker.ready]

    async def _start_worker(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", self._program, str(theirs.fileno())]
        environment = os.environ | ENVIRONMENT
        with theirs:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: _Worker(self, process), sock=ours)

    def on_connected(self, worker: "_Worker") -> None:
        """Note a worker that is starting."""
        self._workers.append(worker)
        if self._closed:
            worker.transport.close()

    def on_lost(self, worker: "_Worker") -> None:
        """Replace a worker that has ended, and requeue the pictures it had not begun."""
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.wait()
        if self._closed:
            for item in worker.items:
                item.future.cancel()
            return
        logging.getLogger(__name__).warning("Decoding worker %s has ended; another is started.", worker.process.pid)
        if worker.items:
            message = "Decoding the picture crashed or took too long."
            worker.items[0].add(Refused(422, "unreadable", message, HINT))
        self._single.extendleft(reversed(worker.items))
        asyncio.get_running_loop().create_task(self._restart())

    def on_idle(self) -> None:
        """Hand out work to a worker that may have room for it."""
        if self._single or self._bulk:
            self._hand_out()

    async def _restart(self) -> None:
        await asyncio.sleep(RESTART_DELAY)
        if not self._closed:
            await self._start_worker()

    def _hand_out(self) -> None:
        for depth in range(DEPTH):
            for worker in self._workers:
                if worker.ready and len(worker.items) == depth and (item := self._next()):
                    worker.send(item)

    def _next(self) -> WorkItem | None:
        self._turn += 1
        first, second = (self._bulk, self._single) if self._turn % 4 == 0 else (self._single, self._bulk)
        for queue in (first, second):
            while queue:
                item = queue.popleft()
                if not item.future.done():  # done: the client has left or was refused
                    return item
        return None

    async def _end_long_waits(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._stuck, self._longest))
            now = time.monotonic()
            for worker in self._workers:
                if worker.items and now - worker.began_at > self._stuck:
                    worker.process.kill()
            # One check for all items: a timer for each would cost every answer.
            for item in itertools.chain(self._single, *(worker.items for worker in self._workers)):
                if now - item.queued_at > self._longest and not item.future.done():
                    item.future.set_exception(overloaded())


class _Worker(asyncio.Protocol):
    """The event loop's end of one process."""

    transport: asyncio.WriteTransport

    def __init__(self, pool: WorkerPool, process: "subprocess.Popen[bytes]") -> None:
        self.process, self._pool = process, pool
        self.items: collections.deque[WorkItem] = collections.deque()
        self.ready = False  # until its first reply, which answers no request
        self.began_at = 0.0  # monotonic, s: when it began the next picture of its first item
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # a stream's, as create_connection makes it
        self._pool.on_connected(self)

    def send(self, item: WorkItem) -> None:
        """Queue an item in the process."""
        if not self.items:
            self.began_at = time.monotonic()
        self.items.append(item)
        self.transport.write(pack_requests(item.dataset, item.pictures[len(item.outcomes) :]))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= REPLY.size:
            pixels, refusal = REPLY.unpack_from(self._buffer)
            end = REPLY.size + pixels + refusal
            if len(self._buffer) < end:
                return
            reply = bytes(self._buffer[REPLY.size : end])
            del self._buffer[:end]
            if self.ready:
                self._settle(reply[:pixels], reply[pixels:])
            self.ready = True
        self._pool.on_idle()

    def _settle(self, pixels: bytes, refusal: bytes) -> None:
        item = self.items[0]
        self.began_at = time.monotonic()
        item.add(unpack_reply(pixels, refusal, SPECS[item.dataset].image_shape))
        if item.complete:
            self.items.popleft()

    def connection_lost(self, _error: Exception | None) -> None:
        self._pool.on_lost(self)


def _prepare_here(dataset: str, pictures: Sequence[bytes]) -> list[Outcome]:
    return [prepare_web_picture(dataset, picture) for picture in pictures]
