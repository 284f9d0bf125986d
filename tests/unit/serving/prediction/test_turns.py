"""Whose turn it is, without processes."""

import asyncio
import io

import pytest
from PIL import Image

from serving.core.errors import Refused
from serving.prediction.prepare import Wanted
from serving.prediction.turns import MAX_WAITING, Killers, Turns, WorkItem, is_large
from tests.helpers.pictures import png, png_of_size

LARGE = [png_of_size(2500, 2500)]
SMALL = [png(1)]
DIGIT = Wanted("mnist")


def in_turns(use):
    """Calls `use(turns, add)`; add(client, picture, bulk) has an item wait."""

    async def run():
        turns = Turns()

        def add(client, picture=SMALL, bulk=False):
            turns.add(WorkItem(DIGIT, [picture], client, asyncio.get_running_loop().create_future(), bulk))

        return use(turns, add)

    return asyncio.run(run())


def taken(turns, large=True):
    while item := turns.next(large):
        yield item


def test_one_clients_many_make_no_other_wait_for_more_than_a_turn():
    def use(turns, add):
        for _ in range(100):
            add("many")
        add("one")
        add("two")
        return [turns.next(large=False).client for _ in range(4)]

    assert in_turns(use) == ["many", "one", "two", "many"]


def test_large_ones_are_taken_only_where_they_may_be_and_then_alternate_with_small_ones():
    def use(turns, add):
        for _ in range(3):
            add("a", LARGE)
            add("b")
        assert [item.large for item in taken(turns, large=False)] == [False] * 3
        assert turns.large_waiting
        for _ in range(3):
            add("b")
        return [item.large for item in taken(turns)]

    order = in_turns(use)
    assert order in ([True, False] * 3, [False, True] * 3)


def test_of_four_one_is_a_batchs_while_single_ones_wait():
    def use(turns, add):
        for _ in range(8):
            add("a", bulk=True)
            add("b")
        return [turns.next(large=False).bulk for _ in range(8)]

    assert sum(in_turns(use)) == 2


def test_who_has_left_is_passed_over_and_what_is_put_back_comes_first():
    def use(turns, add):
        for client in "abc":
            add(client)
        first = turns.next(large=False)
        next(iter(turns)).future.cancel()
        turns.put_back(first)
        return [item.client for item in taken(turns, large=False)], bool(turns)

    assert in_turns(use) == (["a", "c"], False)


def test_what_one_client_has_waiting_is_bounded():
    def use(turns, add):
        for _ in range(MAX_WAITING):
            add("many")
        with pytest.raises(Refused) as refused:
            add("many", LARGE, bulk=True)
        add("other")
        return refused.value

    refused = in_turns(use)
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "too_many", "1")


def jpeg(**options):
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_large_is_what_may_take_long():
    scans = jpeg(progressive=True)
    last = scans[scans.rfind(b"\xff\xda") : -2]
    bmp = io.BytesIO()
    Image.new("L", (64, 64)).save(bmp, "BMP")
    dear = (LARGE[0], scans[:-2] + last * 12 + scans[-2:], bmp.getvalue(), b"\0" * 2_000_000, b"\xff\xd8\xff\xe0")
    assert all(is_large([[picture]]) for picture in dear)
    assert not any(is_large([[picture]]) for picture in (SMALL[0], jpeg(), scans, b"no picture"))
    assert is_large([[png_of_size(1500, 1500)] * 2])
    assert is_large([[png_of_size(1500, 1500)]] * 2)
    assert not is_large([[]])


def test_pictures_that_ended_a_worker_are_remembered_for_a_while_and_in_number():
    killers = Killers(most=2)
    for name in (b"one", b"two", b"three"):
        killers.add([name])
    assert [[name] in killers for name in (b"one", b"two", b"three", b"four")] == [False, True, True, False]
    assert [b"two", b"three"] not in killers
    forgetful = Killers(seconds=0)
    forgetful.add([b"one"])
    assert [b"one"] not in forgetful
