"""Whose guess at a key or login is compared next: few of one client, ten a second of all, whoever tried least first."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from limits import parse

from serving.core.clients import network_of
from serving.core.errors import Refused
from settings import Settings

PER_SECOND = 10  # comparisons, for all clients together
WAITING = 50  # tries that wait for one
PATIENCE = 5.0  # s that they wait
SLOWED = 5  # tries of a client that wait until it is time for them; beyond these it is told to come again
HALF_LIFE = 600.0  # s in which half of a sender's tries are forgotten
REMEMBERED = 10_000  # clients and networks, those that tried last


@dataclass(eq=False)
class _Sender:
    """What is remembered of a client or network."""

    tries: float = 0.0  # whatever came of them; older ones count less
    tried_at: float = 0.0  # s on the clock, when the latest came
    due: float = -math.inf  # likewise, when the next is in time
    waiting: int = 0  # a network's tries in the line

    def count(self, now: float) -> None:
        """Count a try."""
        self.tries = 1 + self.tries * 0.5 ** ((now - self.tried_at) / HALF_LIFE)
        self.tried_at = now


@dataclass(eq=False)
class _Try:
    """One that waits."""

    client: _Sender
    network: _Sender
    number: int
    since: float
    future: asyncio.Future[None]

    def order(self) -> tuple[float, float, int]:
        """The lowest is next: of the network that has tried least and, within it, of such a client."""
        return self.network.tries, self.client.tries, self.number

    def crowding(self) -> tuple[int, float, float, int]:
        """The highest gives way: the latest of the network that has most waiting or, of such, has tried most."""
        return self.network.waiting, self.network.tries, self.client.tries, self.number


class Guesses:
    """Admits tries of a key or login that is not known to be right, so slowly that none can be guessed. Who has the
    right one is not shut out by those who guess, however many they are: once their networks have tried more often than
    his, he comes before them. Counted in this process alone; for one event loop."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        remembered: int = REMEMBERED,
    ) -> None:
        rate = parse(settings.rate_limit_login)
        self._interval = rate.get_expiry() / rate.amount if settings.rate_limit == "on" else 0.0  # s between a client's
        self._clock, self._sleep = clock, sleep
        self._senders, self._remembered = OrderedDict[str, _Sender](), remembered
        self._line: list[_Try] = []
        self._number = 0
        self._free_at = -math.inf  # s on the clock, when the next comparison may be
        self._serving: asyncio.Task[None] | None = None

    async def turn(self, client: str) -> None:
        """Return once what a client has sent may be compared. Raises Refused 429, whether or not it is right, beyond
        the client's rate or where too many wait."""
        now, sender, network = self._clock(), self._sender(client), self._sender(network_of(client))
        sender.count(now)
        network.count(now)
        if (wait := self._charge(sender, now)) > 0:
            await self._sleep(wait)
        self._number += 1
        future = asyncio.get_running_loop().create_future()
        await self._wait(_Try(sender, network, self._number, self._clock(), future))

    def repeat(self, client: str) -> None:
        """Count what is known to be wrong as a client's try, if it is time for one. Raises Refused 429 if it is not."""
        sender, now = self._sender(client), self._clock()
        if sender.due > now:
            raise _too_many("More keys and logins came from you than are tried", sender.due - now)
        sender.due = now + self._interval

    def _sender(self, name: str) -> _Sender:
        sender = self._senders.setdefault(name, _Sender())
        self._senders.move_to_end(name)
        while len(self._senders) > self._remembered:
            self._senders.popitem(last=False)
        return sender

    def _charge(self, sender: _Sender, now: float) -> float:
        """Return in how many seconds it is time for a client's try. Raises Refused 429 for one that tries often."""
        wait = max(0.0, sender.due - now)
        if wait > PATIENCE or (wait > 0 and sender.tries > SLOWED):
            raise _too_many("More keys and logins came from you than are tried", wait)
        sender.due = now + wait + self._interval
        return wait

    async def _wait(self, attempt: _Try) -> None:
        if not self._line and self._clock() >= self._free_at:
            self._admit(attempt)
            return
        self._join(attempt)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        try:
            await attempt.future
        finally:
            if attempt in self._line:  # its sender has left
                self._leave(attempt)

    async def _serve(self) -> None:
        """Admit those in the line, one after another, until there are none."""
        while self._line:
            await self._sleep(max(0.0, self._free_at - self._clock()))
            for attempt in [each for each in self._line if each.since + PATIENCE <= self._clock()]:
                self._refuse(attempt)
            if self._line:
                attempt = min(self._line, key=_Try.order)
                self._leave(attempt)
                self._admit(attempt)

    def _join(self, attempt: _Try) -> None:
        self._line.append(attempt)
        attempt.network.waiting += 1
        if len(self._line) > WAITING:
            self._refuse(max(self._line, key=_Try.crowding))

    def _leave(self, attempt: _Try) -> None:
        self._line.remove(attempt)
        attempt.network.waiting -= 1

    def _admit(self, attempt: _Try) -> None:
        self._free_at = self._clock() + 1 / PER_SECOND
        if not attempt.future.done():
            attempt.future.set_result(None)

    def _refuse(self, attempt: _Try) -> None:
        self._leave(attempt)
        if not attempt.future.done():
            attempt.future.set_exception(_too_many("More keys and logins are being sent than can be tried", 1))


def _too_many(what: str, seconds: float) -> Refused:
    wait = max(1, math.ceil(seconds))
    return Refused(429, "too_many", f"{what}.", f"Try again in {wait} s.", wait)
