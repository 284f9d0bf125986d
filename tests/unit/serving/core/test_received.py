import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.core.limits import KIB, MIB, Load
from serving.core.received import DRAINED, Pace, read_body

LIMIT = 100
SLOW = Pace(0.001, 10)
PIECES = st.lists(st.binary(max_size=60), max_size=8)


def arriving(pieces, *, ends=True):
    """ASGI's receive of a body in pieces, after which the visitor says no more if it does not end."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if ends:
        messages.append({"type": "http.request"})

    async def receive():
        return messages.pop(0) if messages else await asyncio.Event().wait()

    return receive


def read(receive, headers=(), limit=LIMIT, pace=SLOW):
    """The body, and the load after the request."""
    load = Load(10, 10 * LIMIT)

    async def ask():
        with load.request("ann") as held:
            return await read_body(dict(headers), receive, held, limit, pace)

    try:
        return asyncio.run(ask())
    finally:
        assert load.memory.used == 0


@given(PIECES)
def test_a_body_in_any_pieces_is_read_whole_or_refused(pieces):
    body = b"".join(pieces)
    if len(body) <= LIMIT:
        assert read(arriving(pieces)) == body
    else:
        with pytest.raises(Refused) as refused:
            read(arriving(pieces))
        assert (refused.value.status, refused.value.headers) == (413, {"Connection": "close"})


@given(PIECES)
def test_a_body_that_stops_is_refused_and_its_bytes_are_given_back(pieces):
    with pytest.raises(Refused, match="Nothing more") as refused:
        read(arriving(pieces, ends=False))
    assert refused.value.status == 408


def test_a_body_that_keeps_dripping_is_refused_in_the_end():
    async def drip():
        return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(Refused, match="took over") as refused:
        read(drip, pace=Pace(10, 0.01))
    assert refused.value.status == 408


def test_a_visitor_who_leaves_is_noticed():
    async def leave():
        return {"type": "http.disconnect"}

    with pytest.raises(Refused) as refused:
        read(leave)
    assert refused.value.code == "incomplete"


def test_what_is_beyond_the_limit_is_dropped_up_to_a_bound():
    taken = 0

    async def pour():
        nonlocal taken
        taken += MIB
        return {"type": "http.request", "body": bytes(MIB), "more_body": True}

    with pytest.raises(Refused, match="limit of 16 KiB"):
        read(pour, limit=16 * KIB, pace=Pace(10, 60))
    assert DRAINED < taken < DRAINED + 2 * MIB


def test_a_giant_is_refused_before_it_comes():
    with pytest.raises(Refused, match="limit of 2 MiB"):
        read(arriving([], ends=False), {"content-length": str(DRAINED + 3 * MIB)}, 2 * MIB)
