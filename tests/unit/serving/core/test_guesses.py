import asyncio
import inspect
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from serving.core.clients import network_of
from serving.core.errors import Refused
from serving.core.guesses import PATIENCE, PER_SECOND, WAITING, Guesses
from settings import Settings
from tests.helpers.manual_time import ManualTime

OPERATOR = "198.51.100.9"


class Trial:
    """Guesses by a clock that the test moves, and what has come of each try."""

    def __init__(self, **changes):
        self.time = ManualTime()
        self.guesses = Guesses(Settings(_env_file=None, **changes), self.time.clock, self.time.sleep)
        self.admitted: list[tuple[float, str]] = []
        self.refused: list[tuple[float, str, Refused]] = []
        self._tasks = []

    def send(self, *clients):
        """Have these try, one after another, without waiting for what comes of it. Returns the tasks."""
        tasks = [asyncio.get_running_loop().create_task(self._try(client)) for client in clients]
        self._tasks += tasks
        return tasks

    async def _try(self, client):
        try:
            await self.guesses.turn(client)
            self.admitted.append((self.time.now, client))
        except Refused as refused:
            self.refused.append((self.time.now, client, refused))

    async def end(self):
        await self.time.run(2 * PATIENCE)
        assert all(task.done() for task in self._tasks)
        assert len(self.admitted) + len(self.refused) + sum(task.cancelled() for task in self._tasks) == len(
            self._tasks
        )

    def count(self, client):
        return sum(each == client for _, each in self.admitted)


def retry_after(refused):
    return int(refused.headers["Retry-After"])


def in_a_loop(test):
    """Run an async test in a loop of its own."""

    def run(**arguments):
        asyncio.run(test(**arguments))

    run.__name__, run.__doc__, run.__signature__ = test.__name__, test.__doc__, inspect.signature(test)
    return run


@in_a_loop
async def test_one_who_tries_now_and_then_never_waits():
    trial = Trial()
    for _ in range(9):
        trial.send(OPERATOR)
        await trial.time.run(2)
    assert [at for at, _ in trial.admitted] == [2.0 * number for number in range(9)]
    await trial.end()


@in_a_loop
async def test_a_client_is_held_to_its_pace_and_told_when_to_come_again():
    trial = Trial()
    for _ in range(600):  # ten a second for a minute
        trial.send(OPERATOR)
        await trial.time.run(0.1)
    assert trial.count(OPERATOR) in (30, 31)
    at = [at for at, _ in trial.admitted]
    assert all(later - earlier > 1.99 for earlier, later in itertools.pairwise(at))
    assert {refused.status for *_, refused in trial.refused} == {429}
    assert {retry_after(refused) for at, _, refused in trial.refused if at > 10} == {1, 2}
    _, _, last = trial.refused[-1]
    await trial.time.run(retry_after(last))
    trial.send(OPERATOR)
    await trial.end()
    assert trial.admitted[-1][0] >= 60


@in_a_loop
async def test_the_first_tries_that_come_too_soon_only_wait():
    trial = Trial()
    for _ in range(4):
        (task,) = trial.send(OPERATOR)
        while not task.done():
            await trial.time.run(0.1)
    assert trial.count(OPERATOR) == 4
    assert trial.time.now == pytest.approx(6, abs=0.5)
    trial.send(*[OPERATOR] * 9)
    await trial.time.run(0)
    assert len(trial.refused) == 8, "but not many of them at once"
    await trial.end()


@in_a_loop
async def test_a_rate_is_that_of_the_setting():
    trial = Trial(rate_limit_login="2/hour")
    for _ in range(4):
        trial.send(OPERATOR)
        await trial.time.run(1)
    assert trial.count(OPERATOR) == 1
    assert retry_after(trial.refused[-1][2]) == 1797
    await trial.time.run(1800)
    trial.send(OPERATOR)
    await trial.end()
    assert trial.count(OPERATOR) == 2


@in_a_loop
async def test_without_rates_only_what_all_try_is_bounded():
    trial = Trial(rate_limit="off")
    trial.send(*[OPERATOR] * WAITING)
    await trial.time.run(1)
    assert trial.count(OPERATOR) in (PER_SECOND, PER_SECOND + 1)
    await trial.end()
    assert trial.count(OPERATOR) == WAITING


@in_a_loop
async def test_who_waits_too_long_is_refused_and_the_line_is_bounded():
    trial = Trial()
    trial.send(*(f"203.0.{number}.7" for number in range(100)))
    await trial.time.run(0)
    assert len(trial.refused) == 100 - WAITING - 1, "one is compared at once"
    await trial.end()
    assert {round(at, 6) <= PATIENCE for at, _ in trial.admitted} == {True}
    assert len(trial.admitted) >= PER_SECOND * PATIENCE - 1


@in_a_loop
async def test_a_network_with_less_waiting_displaces_the_latest_of_that_with_most():
    trial = Trial()
    attackers = [f"203.0.113.{number}" for number in range(WAITING + 1)]
    trial.send(*attackers)
    await trial.time.run(0)
    trial.send(OPERATOR)
    await trial.time.run(0)
    assert [client for _, client, _ in trial.refused] == [attackers[-1]]
    await trial.time.run(0.2)
    assert [client for _, client in trial.admitted][:2] == [attackers[0], OPERATOR], "who has tried least is next"
    await trial.end()


@in_a_loop
async def test_within_a_network_the_client_that_has_tried_less_comes_first():
    trial = Trial(rate_limit="off")
    trial.send(*["203.0.113.1"] * 5, "203.0.113.2")
    await trial.time.run(0.2)
    assert [client for _, client in trial.admitted][:2] == ["203.0.113.1", "203.0.113.2"]
    await trial.end()


@pytest.mark.parametrize("typos", [0, 2])
@pytest.mark.parametrize("per_network", [1, 30])
@in_a_loop
async def test_an_operator_from_elsewhere_comes_in_within_seconds_while_thousands_of_addresses_guess(
    per_network, typos
):
    trial = Trial()
    attackers = [f"203.{net // 256}.{net % 256}.{host}" for host in range(per_network) for net in range(300)]
    for second in range(25):
        for tenth in range(10):
            start = 60 * (10 * second + tenth)
            trial.send(*(attackers[number % len(attackers)] for number in range(start, start + 60)))
            if second in range(6, 6 + 3 * typos, 3) and not tenth:
                trial.send(OPERATOR)
            await trial.time.run(0.1)
        if second == 14:
            trial.send(OPERATOR)
    assert trial.count(OPERATOR) == typos + 1
    (when,) = [at for at, client in trial.admitted if client == OPERATOR and at > 14]
    assert when < 16
    per_second = Counter(int(at) for at, _ in trial.admitted)
    assert max(per_second.values()) <= PER_SECOND + 1
    await trial.end()


@in_a_loop
async def test_whoever_leaves_makes_room():
    trial = Trial()
    trial.send("203.0.113.1")
    tasks = trial.send(*(f"203.0.{number}.7" for number in range(WAITING)))
    await trial.time.run(0)
    for task in tasks:
        task.cancel()
    trial.send(OPERATOR)
    await trial.time.run(0.2)
    assert [client for _, client in trial.admitted] == ["203.0.113.1", OPERATOR]
    await trial.end()


@in_a_loop
async def test_only_so_many_senders_are_remembered():
    trial = Trial()
    trial.guesses = Guesses(Settings(_env_file=None), trial.time.clock, trial.time.sleep, remembered=30)
    trial.send(*(f"2001:db8:{number:x}::/64" for number in range(100)))
    await trial.end()
    assert len(trial.guesses._senders) == 30


TRIES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.floats(0, 0.3)), max_size=200)


@options(deadline=None, max_examples=50)
@given(TRIES)
def test_whatever_is_sent_nobody_waits_for_ever_and_nothing_is_compared_too_fast(tries):
    async def run():
        trial = Trial()
        for network, host, pause in tries:
            trial.send(f"203.0.{network}.{host}")
            await trial.time.run(pause)
        await trial.end()
        times = [at for at, _ in trial.admitted]
        assert times == sorted(times)
        assert all(later - earlier > 0.99 / PER_SECOND for earlier, later in itertools.pairwise(times))
        for client in {client for _, client in trial.admitted}:
            assert trial.count(client) <= trial.time.now / 2 + 1
            assert network_of(client) != client

    asyncio.run(run())


@in_a_loop
async def test_what_is_known_to_be_wrong_is_answered_as_slowly_and_waits_for_nothing():
    trial, refused = Trial(), []
    for _ in range(600):  # in a minute
        try:
            trial.guesses.repeat(OPERATOR)
        except Refused as refusal:
            refused.append(retry_after(refusal))
        await trial.time.run(0.1)
    assert 570 <= len(refused) <= 575
    assert set(refused) == {1, 2}
    trial.guesses.repeat("198.51.100.10")
