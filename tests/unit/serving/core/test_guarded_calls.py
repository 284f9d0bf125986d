import asyncio
import logging
import threading
import time

import pytest

from serving.core.guarded_calls import RETRY_SECONDS, THREADS, GuardedCalls, seconds_left

HANG = 30.0  # s, much longer than any call here may take


class AwayError(RuntimeError):
    pass


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def calls(clock):
    return GuardedCalls("archive", HANG, AwayError, lambda error: isinstance(error, OSError), clock)


@pytest.fixture
def hanging():
    """Hangs until the end of the test."""
    end = threading.Event()
    yield lambda: end.wait(HANG)
    end.set()


def lost():
    raise ConnectionError("peer.internal refused")


def test_what_a_function_returns_and_refuses_is_passed_on(calls):
    assert calls.call_and_wait(lambda: 7) == 7
    assert asyncio.run(calls.call(divmod, 7, 4)) == (1, 3)
    with pytest.raises(KeyError):
        calls.call_and_wait(lambda: {}[1])
    assert calls.problem == ""


def test_a_function_knows_how_long_it_may_take(calls):
    assert 4 < calls.call_and_wait(seconds_left, 5.0) <= 5
    assert seconds_left() > HANG


def test_who_waits_for_what_hangs_gets_an_error_in_time_and_the_loop_goes_on(calls, hanging):
    async def wait():
        turns = 0
        waiting = asyncio.ensure_future(calls.call_within(0.3, hanging))
        while not waiting.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(AwayError, match="archive does not answer"):
            await waiting
        return turns

    assert asyncio.run(wait()) > 5
    with pytest.raises(AwayError):
        calls.call_and_wait(hanging, 0.1, always=True)


def test_others_fail_at_once_while_it_is_away_and_one_finds_out_that_it_is_back(calls, clock, caplog):
    caplog.set_level(logging.WARNING)
    asked = []
    for _ in range(3):
        with pytest.raises(AwayError, match="does not answer"):
            calls.call_and_wait(lambda: (asked.append(1), lost()))
    assert len(asked) == 1
    assert calls.problem
    clock.now += RETRY_SECONDS + 1
    with pytest.raises(AwayError):
        calls.call_and_wait(lost)
    with pytest.raises(AwayError):
        calls.call_and_wait(lambda: asked.append(2))
    clock.now += RETRY_SECONDS + 1
    assert calls.call_and_wait(lambda: 7) == calls.call_and_wait(lambda: 7) == 7
    assert calls.problem == ""
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["The archive is away: peer.internal refused", "The archive answers again."]


def test_only_one_at_a_time_finds_out(calls, clock, hanging):
    with pytest.raises(AwayError):
        calls.call_and_wait(lost)
    clock.now += RETRY_SECONDS + 1

    def find_out():
        with pytest.raises(AwayError):
            calls.call_and_wait(hanging, 1.0)

    waiting = threading.Thread(target=find_out)
    waiting.start()
    deadline = time.monotonic() + HANG
    while calls._jobs.qsize() or clock.now >= calls._retry_at:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(AwayError):
        calls.call_and_wait(lambda: 7)
    assert calls.call_and_wait(lambda: 7, always=True) == 7
    waiting.join()


def test_what_hangs_takes_no_more_than_its_threads_and_what_waited_behind_it_never_runs(calls, hanging):
    ran = []
    for _ in range(THREADS):
        with pytest.raises(AwayError):
            calls.call_and_wait(hanging, 0.05, always=True)
    before = threading.active_count()
    for _ in range(20):
        with pytest.raises(AwayError):
            calls.call_and_wait(lambda: ran.append(1), 0.05, always=True)
    assert threading.active_count() <= before
    assert ran == []


def test_threads_that_hang_do_not_keep_the_program(calls, hanging):
    with pytest.raises(AwayError):
        calls.call_and_wait(hanging, 0.05)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "archive")


def test_an_answer_that_comes_too_late_is_none(calls):
    with pytest.raises(AwayError):
        calls.call_and_wait(lambda: time.sleep(0.2), 0.05)
    time.sleep(0.4)
    assert calls.problem
