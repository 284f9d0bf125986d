"""The decoding workers: processes that decode and prepare pictures, so that none can harm the server."""

import asyncio
import collections
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import cast

from serving.core.errors import Refused
from serving.core.limits import MIB, overloaded
from serving.prediction.messages import pack_request, take_reply
from serving.prediction.prepare import Outcome, Prepared, Sheets, Wanted, prepare_picture
from serving.prediction.turns import Killers, Turns, WorkItem
from settings import ROOT

DEPTH = 4  # work items sent to a worker at a time, so that it never waits for the next one: 6 % more answers than 2
STUCK = 10.0  # s for one picture, after which its worker is replaced, whatever time it had on a busy machine
LONGEST = 12.0  # s from request to 503 for a single picture; nginx asks another replica after 15
RESTART_DELAY = 0.2  # s before a worker is replaced, so that one that can't start is not tried again at once
ENVIRONMENT = {
    "OPENCV_FOR_THREADS_NUM": "1",
    # The pixels of one picture are kept for the next rather than handed back: a third off the time to decode it.
    "MALLOC_MMAP_THRESHOLD_": str(8 * MIB),
    "MALLOC_TRIM_THRESHOLD_": str(64 * MIB),
    "PILLOW_BLOCKS_MAX": "4",
}


class WorkerPool:
    """`count` processes, each for every data set. Call start() in the event loop in which prepare() is awaited.

    Only where `count` is 0 threads of this process do the work, unprotected. A process that ends is replaced and the
    pictures it had not begun go to another; the one it was working on is refused, then and whenever it comes again.
    """

    def __init__(
        self, count: int, program: str = "serving.prediction.worker", stuck: float = STUCK, longest: float = LONGEST
    ) -> None:
        """program: the module that each process runs; stuck, longest: see STUCK and LONGEST."""
        self._count, self._program, self._stuck, self._longest = count, program, stuck, longest
        self._workers: list[_Worker] = []  # up or starting
        self._turns, self._killers, self._closed = Turns(), Killers(), False
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the processes without waiting until they are up."""
        for _ in range(self._count):
            await self._start_worker()
        self._watch = asyncio.create_task(self._end_long_waits())

    async def prepare(
        self, wanted: Wanted, pictures: Sequence[Sheets], client: str, bulk: bool = False
    ) -> list[Outcome]:
        """Return an outcome for each of the pictures, in order. client: who shares the workers with the other clients;
        bulk: they are part of a batch. Raises Refused 503 for single pictures that wait too long, 429 for a client of
        whom too many wait."""
        loop = asyncio.get_running_loop()
        if not self._count:
            return await loop.run_in_executor(None, lambda: [prepare_picture(wanted, sheets) for sheets in pictures])
        item = WorkItem(wanted, pictures, client, loop.create_future(), bulk)
        self._turns.add(item)
        self.hand_out()
        return await item.future

    async def prepare_one(self, wanted: Wanted, sheets: Sheets, client: str) -> Prepared:
        """Prepare one picture. Raises Refused if it can't be used."""
        (outcome,) = await self.prepare(wanted, [sheets], client)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    def close(self) -> None:
        """End the processes."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
        for worker in self._workers:
            worker.transport.close()
        for item in self._turns:
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
        """Replace a worker that has ended, and put back the pictures it had not begun."""
        self._workers.remove(worker)
        worker.process.kill()
        worker.process.wait()
        if self._closed:
            for item in worker.items:
                item.future.cancel()
            return
        logging.getLogger(__name__).warning("Decoding worker %s has ended; another is started.", worker.process.pid)
        if worker.items:
            self._refuse_current(worker)
        for item in reversed(worker.items):
            self._turns.put_back(item)
        asyncio.get_running_loop().create_task(self._restart())
        self.hand_out()

    def _refuse_current(self, worker: "_Worker") -> None:
        """Refuse the picture that a lost worker was at, and remember it unless something else ended the process."""
        item, position = worker.items[0], worker.positions[0]
        item.settle(position, _unreadable())
        ended_from_outside = worker.process.returncode == -signal.SIGKILL and not worker.stuck
        if item.large or not ended_from_outside:  # a large one may have had the system end it for want of memory
            self._killers.add(item.pictures[position])

    async def _restart(self) -> None:
        await asyncio.sleep(RESTART_DELAY)
        if not self._closed:
            await self._start_worker()

    def hand_out(self) -> None:
        """Give work to the workers that have room for it."""
        for depth in range(DEPTH):
            for worker in self._workers:
                if not self._turns:
                    return
                if worker.ready and len(worker.items) == depth and not worker.has_large:
                    self._give(worker)

    def _give(self, worker: "_Worker") -> None:
        """Send a worker the next item of which anything is to be done. It is left to run dry for a large one."""
        large = self._turns.large_waiting and self._may_take_large(worker)
        if large and worker.items:
            return
        while item := self._turns.next(large):
            for position in item.left:
                if item.pictures[position] in self._killers:
                    item.settle(position, _unreadable())
            if item.left:
                worker.send(item)
                return

    def _may_take_large(self, worker: "_Worker") -> bool:
        """Large pictures take half of the workers at most, and never the only one that is up, so that small ones have
        not to wait for them."""
        if self._count == 1:
            return True
        taken = sum(each.has_large for each in self._workers)
        free = any(each.ready and not each.has_large for each in self._workers if each is not worker)
        return taken < self._count // 2 and free

    async def _end_long_waits(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self._stuck, self._longest))
            now = time.monotonic()
            for worker in self._workers:
                if worker.items and now - worker.began_at > self._stuck:
                    worker.stuck = True
                    worker.process.kill()
            # One check for all items: a timer for each would cost every answer.
            for item in itertools.chain(self._turns, *(worker.items for worker in self._workers)):
                if not item.bulk and now - item.queued_at > self._longest and not item.future.done():
                    item.future.set_exception(overloaded())


class _Worker(asyncio.Protocol):
    """The event loop's end of one process."""

    transport: asyncio.WriteTransport

    def __init__(self, pool: WorkerPool, process: "subprocess.Popen[bytes]") -> None:
        self.process, self._pool = process, pool
        self.items: collections.deque[WorkItem] = collections.deque()
        self.positions: collections.deque[int] = collections.deque()  # of the first item's pictures, without outcome
        self.ready = False  # until its first reply, which answers no request
        self.stuck = False  # ended since a picture took too long
        self.began_at = 0.0  # monotonic, s: when it began the next picture of its first item
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)  # a stream's, as create_connection makes it
        self._pool.on_connected(self)

    @property
    def has_large(self) -> bool:
        """Whether it is at a large item, which it has alone."""
        return bool(self.items) and self.items[0].large

    def send(self, item: WorkItem) -> None:
        """Queue an item in the process."""
        self.items.append(item)
        if len(self.items) == 1:
            self._begin()
        parts = (pack_request(item.wanted, item.pictures[position], item.large) for position in item.left)
        self.transport.write(b"".join(itertools.chain.from_iterable(parts)))

    def _begin(self) -> None:
        self.began_at = time.monotonic()
        self.positions.extend(self.items[0].left)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while outcome := take_reply(self._buffer, self.items[0].wanted.dataset if self.items else ""):
            if self.ready:
                self._settle(outcome)
            self.ready = True
        self._pool.hand_out()

    def _settle(self, outcome: Outcome) -> None:
        self.began_at = time.monotonic()
        self.items[0].settle(self.positions.popleft(), outcome)
        if not self.positions:
            self.items.popleft()
            if self.items:
                self._begin()

    def connection_lost(self, _error: Exception | None) -> None:
        self._pool.on_lost(self)


def _unreadable() -> Refused:
    hint = "Save it as a smaller PNG or JPEG and resend it."
    return Refused(422, "unreadable", "Decoding the picture crashed or took too long.", hint)
