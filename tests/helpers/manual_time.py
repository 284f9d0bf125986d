"""A clock that a test moves, for what waits by it."""

import asyncio
import heapq
import itertools


class ManualTime:
    """`clock` and `sleep` in place of time.monotonic and asyncio.sleep."""

    def __init__(self):
        self.now, self._sleepers, self._numbers = 0.0, [], itertools.count()

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), future))
        await future

    async def run(self, seconds):
        """Let so much time pass, and everybody wake when it is time."""
        end = self.now + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await _settle()
        self.now = end


async def _settle():
    for _ in range(10):  # turns of the loop, so that one wakes another
        await asyncio.sleep(0)
