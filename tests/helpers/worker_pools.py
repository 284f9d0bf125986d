"""Pools of decoding workers, and pictures for them."""

import asyncio

from serving.prediction.prepare import Wanted
from serving.prediction.worker_pool import WorkerPool
from tests.helpers.pictures import png_of_size

DIGIT, PHOTO = Wanted("mnist"), Wanted("cifar10")
LARGE = png_of_size(2500, 2500)
FRAGILE = "tests.helpers.fragile_worker"


def ask(pool, *pictures, client="a", wanted=DIGIT, bulk=False):
    """The outcomes of pictures of one sheet each."""
    return pool.prepare(wanted, [[picture] for picture in pictures], client, bulk)


def with_pool(count, use, **options):
    """Runs `use(pool)` in an event loop with so many processes."""

    async def run():
        pool = WorkerPool(count, **options)
        await pool.start()
        while len(pool.processes) < count:
            await asyncio.sleep(0.02)
        try:
            return await asyncio.wait_for(use(pool), 60)
        finally:
            pool.close()
            await asyncio.sleep(0.1)

    return asyncio.run(run())
