import asyncio

import gradio as gr
import pytest
from gradio.data_classes import PredictBodyInternal
from starlette.requests import Request

from serving.core.clients import client_of
from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.page.event_queue import ALL_EVENTS, MESSAGES, OPEN_EVENTS, OPEN_MB, RUNNING, EventQueue
from serving.page.sessions import Sessions


@pytest.fixture
def queue():
    """A queue of two events of the server's, 0 and 1, and of one in the browser, 2; an answer is unread at once."""

    async def build():
        with gr.Blocks() as page:
            for function in (lambda: "answer", lambda: "another", None):
                gr.Button().click(function, js="() => 1")
        Sessions(page)
        return EventQueue(page, 2 * RUNNING, unread_seconds=0)

    queue = asyncio.run(build())
    queue.active_jobs = [None] * 40
    return queue


def from_client(client, length=100):
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return Request({"type": "http", "client": (client, 1), "headers": headers})


async def push(queue, client, length=100, **body):
    body = {"data": [], "fn_index": 0} | body
    _, event_id, _ = await queue.push(PredictBodyInternal(**body), from_client(client, length), None)
    return event_id


def start(queue):
    """Start the next event; return its client, None if none can start."""
    found = queue.get_events()
    if found is None:
        return None
    events, _, group = found
    queue.active_jobs[queue.active_jobs.index(None)] = events
    queue.event_queue_per_concurrency_id[group].current_concurrency += 1
    return client_of(events[0].request.scope)


def test_a_client_may_have_so_many_events_open_and_others_are_served(queue):
    async def fill():
        for _ in range(OPEN_EVENTS):
            await push(queue, "10.0.0.1")
        with pytest.raises(Refused) as refused:
            await push(queue, "10.0.0.1")
        assert refused.value.status == 429
        assert refused.value.headers["Retry-After"]
        await push(queue, "10.0.0.2")

    asyncio.run(fill())
    assert [start(queue) for _ in range(3)] == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]


@pytest.mark.parametrize("length", [OPEN_MB * MIB // 4, None])
def test_the_bodies_of_a_client_that_wait_are_bounded(queue, length):
    async def fill():
        for _ in range(OPEN_EVENTS):
            await push(queue, "10.0.0.1", length)

    with pytest.raises(Refused, match="not fetched"):
        asyncio.run(fill())


def test_all_clients_together_may_have_so_many_events_waiting(queue):
    async def fill():
        for number in range(ALL_EVENTS + 1):
            await push(queue, f"10.0.{number // 50}.1")

    with pytest.raises(Refused) as refused:
        asyncio.run(fill())
    assert refused.value.status == 503
    assert len(queue.event_ids_to_events) == ALL_EVENTS


def test_a_client_has_so_many_running_over_all_functions(queue):
    async def fill():
        for number in range(10):
            await push(queue, "10.0.0.1", fn_index=number % 2)

    asyncio.run(fill())
    assert [start(queue) for _ in range(10)].count("10.0.0.1") == RUNNING
    asyncio.run(push(queue, "10.0.0.2"))
    assert start(queue) == "10.0.0.2"


def test_clients_take_turns(queue):
    async def fill():
        for client in "AAABBC":
            await push(queue, client)

    asyncio.run(fill())
    assert "".join(start(queue) for _ in range(6)) == "ABCABA"


def test_an_event_that_left_counts_no_more(queue):
    async def fill_and_leave():
        for _ in range(OPEN_EVENTS):
            await push(queue, "10.0.0.1", session_hash="tab")
        await queue.clean_events(session_hash="tab")
        await push(queue, "10.0.0.1")

    asyncio.run(fill_and_leave())


def test_what_a_session_does_not_fetch_is_dropped_and_the_rest_kept(queue):
    async def cancel():
        cancelled = await push(queue, "10.0.0.1", session_hash="tab")
        other = await push(queue, "10.0.0.1", session_hash="tab")
        await queue.remove_from_queue(cancelled)
        await asyncio.sleep(0.01)
        assert queue.pending_event_ids_session == {"tab": {other}}
        messages = queue.pending_messages_per_session["tab"]
        assert {messages.get_nowait().event_id for _ in range(messages.qsize())} == {other}
        await queue.remove_from_queue(other)
        await asyncio.sleep(0.01)
        assert queue.pending_event_ids_session == queue.pending_messages_per_session == {}

    asyncio.run(cancel())


def test_news_that_nobody_fetches_are_bounded(queue):
    async def wait_long():
        event_id = await push(queue, "10.0.0.1", session_hash="tab")
        for _ in range(2 * MESSAGES):
            queue.broadcast_estimations(queue.event_ids_to_events[event_id].concurrency_id)
        assert queue.pending_messages_per_session["tab"].qsize() == MESSAGES

    asyncio.run(wait_long())


@pytest.mark.parametrize("number", [2, 99, -1, None])
def test_what_is_no_event_of_the_server_is_not_found(queue, number):
    with pytest.raises(Refused) as refused:
        asyncio.run(push(queue, "10.0.0.1", fn_index=number))
    assert refused.value.status == 404
    assert queue.event_ids_to_events == {}


def test_a_session_that_nobody_named_is_kept_no_longer_than_its_event(queue):
    async def cancel():
        event_id = await push(queue, "10.0.0.1")
        assert queue.blocks.state_holder[event_id]
        await queue.remove_from_queue(event_id)

    asyncio.run(cancel())
    assert len(queue.blocks.state_holder.session_data) == 0
