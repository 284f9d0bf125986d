"""Calls to what may hang or be away, the database or the registry, so that whoever waits for them never hangs too."""

import asyncio
import contextvars
import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import ParamSpec, TypeVar

THREADS = 4
RETRY_SECONDS = 2.0  # after a failure until one call is let through, to find out whether it answers again
UNBOUNDED_SECONDS = 60.0  # what `seconds_left` says outside of a call
_deadline: contextvars.ContextVar[float] = contextvars.ContextVar("deadline")
P = ParamSpec("P")
T = TypeVar("T")


def seconds_left() -> float:
    """How long what this thread does for a guarded call may still take; a lot outside of one."""
    return max(0.0, _deadline.get(time.monotonic() + UNBOUNDED_SECONDS) - time.monotonic())


class GuardedCalls:
    """Runs functions in a few threads of their own, each for `seconds` at most, and fails at once while the other side
    is known to be away. Thread-safe.

    No thread can be ended from outside: what runs in one should itself end after `seconds_left`. Where it does not,
    only these threads are lost to it, not those that everything else shares.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        away_error: type[Exception],
        is_away: Callable[[Exception], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """name: in sentences. away_error: raised where the other side is away. is_away: whether another error of a
        function means the same, rather than that something was refused."""
        self.name, self.seconds, self._clock = name, seconds, clock
        self._away_error, self._is_away = away_error, is_away
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._problem = ""  # why it is away; empty while it answers
        self._retry_at = 0.0
        self._back_at = -math.inf  # when it answered again

    @property
    def problem(self) -> str:
        """Why the other side is away, as far as the last call knows; empty while it answers."""
        return self._problem

    @property
    def answering_seconds(self) -> float:
        """For how long it has answered without a break that was noticed."""
        return self._clock() - self._back_at

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and wait for it without blocking the event loop. Raises the away error."""
        return await self.call_within(self.seconds, partial(function, *args, **kwargs))

    async def call_within(self, seconds: float, function: Callable[[], T]) -> T:
        """The same for a function that may take longer."""
        future = self._submit(function, seconds, always=False)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
        except TimeoutError:
            raise self._late(seconds) from None

    def call_and_wait(self, function: Callable[[], T], seconds: float | None = None, always: bool = False) -> T:
        """The same from a thread that may wait. always: run it even where the other side is known to be away."""
        seconds = self.seconds if seconds is None else seconds
        future = self._submit(function, seconds, always)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise self._late(seconds) from None

    def close(self) -> None:
        """End the threads once they are through with what they do."""
        with self._lock:
            for _ in self._threads:
                self._jobs.put(None)
            self._threads.clear()

    def _submit(self, function: Callable[[], T], seconds: float, always: bool) -> "Future[T]":
        with self._lock:
            if self._problem and not always:
                if self._clock() < self._retry_at:
                    raise self._away_error(self._problem)
                self._retry_at = self._clock() + seconds + RETRY_SECONDS  # one finds out for all
            if len(self._threads) < THREADS:
                self._threads.append(threading.Thread(target=self._work, name=self.name, daemon=True))
                self._threads[-1].start()
        future: Future[T] = Future()
        context = contextvars.copy_context()
        context.run(_deadline.set, time.monotonic() + seconds)
        self._jobs.put(partial(context.run, self._run, function, future))
        return future

    def _work(self) -> None:
        while job := self._jobs.get():
            job()

    def _run(self, function: Callable[[], T], future: "Future[T]") -> None:
        if not future.set_running_or_notify_cancel():  # nobody waits for it any more
            return
        try:
            result = function()
        except Exception as error:
            away = self._as_away(error)
            self._conclude(away)
            future.set_exception(away or error)
        else:
            self._conclude(None)
            future.set_result(result)

    def _conclude(self, away: Exception | None) -> None:
        if not seconds_left():  # whoever waited has drawn the conclusion
            return
        if away is None:
            self._answered()
        else:
            self._failed(away, str(away.__cause__ or away))

    def _as_away(self, error: Exception) -> Exception | None:
        if isinstance(error, self._away_error):
            return error
        if not self._is_away(error):
            return None
        away = self._silence()
        away.__cause__ = error
        return away

    def _silence(self) -> Exception:
        return self._away_error(f"The {self.name} does not answer; predictions go on.")

    def _late(self, seconds: float) -> Exception:
        away = self._silence()
        self._failed(away, f"no answer within {seconds:g} s")
        return away

    def _failed(self, away: Exception, reason: str) -> None:
        with self._lock:
            known, self._problem = bool(self._problem), str(away)
            self._retry_at = self._clock() + RETRY_SECONDS
        if not known:
            logging.getLogger(__name__).error("The %s is away: %s", self.name, reason.partition("\n")[0])

    def _answered(self) -> None:
        with self._lock:
            known, self._problem = bool(self._problem), ""
            if known:
                self._back_at = self._clock()
        if known:
            logging.getLogger(__name__).warning("The %s answers again.", self.name)
