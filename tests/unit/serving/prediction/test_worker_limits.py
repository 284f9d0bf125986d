"""What no picture may do to the decoding workers, and none to the others."""

import asyncio
import os
import signal

import psutil

from serving.prediction.prepare import Prepared
from tests.helpers.fragile_worker import BUSY, ENDLESS
from tests.helpers.worker_pools import FRAGILE, LARGE, ask, with_pool


def test_a_picture_is_ended_by_the_processor_time_it_takes(seven_png):
    async def use(pool):
        (before,) = pool.processes
        (refused,), (image,) = await asyncio.gather(ask(pool, BUSY), ask(pool, seven_png))
        (again,) = await ask(pool, BUSY)
        return refused, image, again, before, pool.processes

    refused, image, again, before, after = with_pool(1, use, program=FRAGILE, stuck=60, longest=60)
    assert (refused.status, refused.code) == (again.status, again.code) == (422, "unreadable")
    assert isinstance(image, Prepared)
    assert len(after) == 1
    assert after != [before]


def test_a_worker_takes_no_more_memory_than_the_dearest_picture_needs():
    (limits,) = with_pool(1, lambda pool: asyncio.to_thread(lambda: [memory_limit(pid) for pid in pool.processes]))
    assert limits[0] == limits[1] < 1.2e9


def memory_limit(pid):
    return psutil.Process(pid).rlimit(psutil.RLIMIT_DATA)


def test_large_pictures_leave_a_worker_to_the_small_ones(seven_png):
    """While one is at a picture that never ends, and many of its kind wait, from many clients."""

    async def use(pool):
        endless = ENDLESS + bytes(2_000_000)
        large = [asyncio.ensure_future(ask(pool, endless, client=str(number))) for number in range(10)]
        for _ in range(20):
            ((image,),) = await asyncio.gather(ask(pool, seven_png, client="b"))
            assert isinstance(image, Prepared)
        assert not any(task.done() for task in large)
        for task in large:
            task.cancel()

    with_pool(2, use, program=FRAGILE, stuck=60, longest=60)


def test_large_pictures_are_read_while_small_ones_keep_coming(seven_png):
    async def use(pool):
        stop = asyncio.Event()

        async def crowd():
            while not stop.is_set():
                await ask(pool, seven_png, client="b")

        crowds = [asyncio.ensure_future(crowd()) for _ in range(8)]
        outcomes = await asyncio.gather(*(ask(pool, LARGE, client="a") for _ in range(3)))
        stop.set()
        await asyncio.gather(*crowds)
        return outcomes

    assert all(isinstance(outcome, Prepared) for (outcome,) in with_pool(2, use))


def test_a_small_picture_whose_worker_is_killed_from_outside_is_not_held_against_it(seven_png):
    async def use(pool):
        waiting = asyncio.ensure_future(ask(pool, ENDLESS))
        await asyncio.sleep(0.1)
        os.kill(pool.processes[0], signal.SIGKILL)
        (refused,) = await waiting
        again = asyncio.ensure_future(ask(pool, ENDLESS))
        while not pool.processes:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        return refused, again.done()

    refused, again = with_pool(1, use, program=FRAGILE)
    assert refused.code == "unreadable"
    assert not again
