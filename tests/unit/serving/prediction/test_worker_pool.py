"""The decoding workers, for real."""

import asyncio
import os
import signal

import numpy as np
import psutil
import pytest

from experiments.preprocessing.decoding import decode_image
from experiments.preprocessing.drawings import prepare_drawing
from experiments.preprocessing.photos import prepare_photo
from serving.core.errors import Refused
from serving.prediction.prepare import Prepared
from serving.prediction.worker_pool import WorkerPool
from tests.helpers.fragile_worker import ENDLESS, POISON
from tests.helpers.worker_pools import DIGIT, FRAGILE, PHOTO, ask, with_pool


@pytest.mark.parametrize("count", [0, 2])
def test_processes_and_threads_prepare_alike_and_in_order(count, seven_png, sheet_png):
    pictures = [seven_png, sheet_png, b"no picture", seven_png]
    image, blank, refused, again = with_pool(count, lambda pool: ask(pool, *pictures))
    assert np.array_equal(image.image, prepare_drawing(decode_image(seven_png)))
    assert np.array_equal(image.image, again.image)
    assert blank.image is None
    assert isinstance(refused, Refused)
    assert refused.status == 400


@pytest.mark.parametrize("count", [0, 1])
def test_a_data_set_gets_its_own_preparation(count, photo_png):
    def use(pool):
        return asyncio.gather(*(ask(pool, photo_png, wanted=wanted) for wanted in (PHOTO, DIGIT, PHOTO)))

    (photo,), (digit,), (again,) = with_pool(count, use)
    assert np.array_equal(photo.image, prepare_photo(decode_image(photo_png)))
    assert np.array_equal(photo.image, again.image)
    assert digit.image.shape == (28, 28, 1)


def test_many_ask_at_a_time(seven_png):
    async def use(pool):
        requests = [ask(pool, seven_png, bulk=number % 2 == 0) for number in range(60)]
        return await asyncio.gather(*requests)

    outcomes = with_pool(2, use)
    assert len(outcomes) == 60
    assert all(np.array_equal(outcome.image, outcomes[0][0].image) for (outcome,) in outcomes)


def test_a_worker_that_is_killed_is_replaced_and_only_the_picture_that_it_had_begun_is_refused(seven_png):
    async def use(pool):
        before = pool.processes
        requests = [asyncio.ensure_future(ask(pool, seven_png)) for _ in range(40)]
        await asyncio.sleep(0)
        os.kill(before[0], signal.SIGKILL)
        outcomes = await asyncio.gather(*requests)
        while len(pool.processes) < 2 or before[0] in pool.processes:
            await asyncio.sleep(0.05)
        outcomes.append(await ask(pool, seven_png))
        return [outcome for (outcome,) in outcomes]

    outcomes = with_pool(2, use)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert [outcome.code for outcome in refused] in ([], ["unreadable"])
    assert sum(isinstance(outcome, Prepared) for outcome in outcomes) == len(outcomes) - len(refused)


def test_a_picture_that_ends_every_worker_spoils_no_other(seven_png, sheet_png):
    pictures = [seven_png, POISON, sheet_png, seven_png]

    def use(pool):
        return asyncio.gather(ask(pool, *pictures, bulk=True), ask(pool, seven_png))

    (image, refused, blank, again), (beside,) = with_pool(2, use, program=FRAGILE)
    assert (refused.status, refused.code) == (422, "unreadable")
    assert blank.image is None
    assert np.array_equal(image.image, again.image)
    assert np.array_equal(image.image, beside.image)


def test_a_picture_that_ended_a_worker_is_never_given_to_another(seven_png, tmp_path, monkeypatch):
    monkeypatch.setenv("POISONED", str(tmp_path / "tries"))

    def use(pool):
        alone = [ask(pool, POISON) for _ in range(2)]
        return asyncio.gather(*alone, ask(pool, seven_png, POISON, POISON, bulk=True))

    outcomes = [outcome for item in with_pool(2, use, program=FRAGILE) for outcome in item]
    assert [outcome.status for outcome in outcomes if isinstance(outcome, Refused)] == [422] * 4
    assert len((tmp_path / "tries").read_text()) <= 2  # two that begin at once may both end


def test_a_picture_that_outlasts_its_worker_is_refused_and_the_next_one_read(seven_png):
    async def use(pool):
        return await asyncio.gather(ask(pool, ENDLESS), ask(pool, seven_png))

    (refused,), (image,) = with_pool(1, use, program=FRAGILE, stuck=0.3)
    assert (refused.status, refused.code) == (422, "unreadable")
    assert isinstance(image, Prepared)


def test_nobody_waits_longer_for_a_single_picture_than_a_proxy_does(seven_png):
    async def use(pool):
        requests = [ask(pool, ENDLESS)] + [ask(pool, seven_png) for _ in range(3)]
        return await asyncio.gather(*requests, return_exceptions=True)

    outcomes = with_pool(1, use, program=FRAGILE, longest=0.3)
    assert [(error.status, error.code) for error in outcomes] == [(503, "busy")] * 4


def test_who_leaves_does_not_disturb_who_stays(seven_png):
    async def use(pool):
        leaving = asyncio.ensure_future(ask(pool, seven_png))
        staying = asyncio.ensure_future(ask(pool, seven_png))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert isinstance(with_pool(1, use)[0], Prepared)


def test_none_takes_the_place_of_one_that_ended_before_the_others_were_closed():
    def children():
        return {process.pid for process in psutil.Process().children()}

    async def use(pool):
        (worker,) = pool.processes
        os.kill(worker, signal.SIGKILL)
        while pool.processes:
            await asyncio.sleep(0.01)
        pool.close()
        await asyncio.sleep(0.5)  # longer than it would take
        return children()

    before = children()
    assert with_pool(1, use) <= before


def test_until_they_are_up_work_waits_for_them(seven_png):
    async def run():
        pool = WorkerPool(1)
        await pool.start()
        before = pool.processes
        outcomes = await ask(pool, seven_png)
        after = pool.processes
        pool.close()
        return before, outcomes, after

    before, (image,), after = asyncio.run(run())
    assert before == []
    assert isinstance(image, Prepared)
    assert len(after) == 1
