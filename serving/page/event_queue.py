"""Gradio's queue of events, bounded for each client and fair among them."""

import asyncio
import math
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage, ProcessCompletedMessage

from serving.core.clients import client_of
from serving.core.errors import Refused, from_status
from serving.core.limits import MIB, overloaded
from serving.page.sessions import Sessions

if TYPE_CHECKING:
    from gradio.blocks import Blocks

OPEN_EVENTS = 64  # of one client: waiting, running, or with an answer that it has not fetched
OPEN_MB = 24  # MiB of their bodies until they have run
RUNNING = 3  # of one client at a time
ALL_EVENTS, ALL_MB = 512, 128  # of all clients together
UNREAD_SECONDS = 30.0  # for which an answer is kept
MESSAGES = 256  # unread by a session; beyond these it gets no more news of progress
UNKNOWN_MB = 2  # MiB that a body without an announced length counts as


class _Client:
    """The open events of one client."""

    def __init__(self) -> None:
        self.sessions = dict[str, str]()  # by the event's id
        self.bytes = dict[str, int]()  # of those that have not run yet, likewise
        self.turn = 0  # the number of the latest start of one


class EventQueue(Queue):
    """Starts next the event of the client that has the fewest running, and whose last start is the longest ago."""

    def __init__(self, blocks: "Blocks", concurrency_limit: int, unread_seconds: float = UNREAD_SECONDS) -> None:
        super().__init__(
            live_updates=False,  # they would tell every waiting client of every start
            concurrency_count=blocks.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=blocks,
            default_concurrency_limit=concurrency_limit,
        )
        self.ANALYTICS_MAX_EVENTS = 1  # each is kept for the page of a monitoring that is off
        self._unread_seconds = unread_seconds
        self._clients = dict[str, _Client]()
        self._turns = count(1)
        self._none_can_start = False

    async def push(self, body: PredictBodyInternal, request: Any, username: str | None) -> Any:
        """Let an event wait. Raises Refused for one too many, or for none of the page's."""
        event = self.blocks.fns.get(-1 if body.fn_index is None else body.fn_index)
        if event is None or event.fn is None:
            raise from_status(404)
        body.batched = False  # anyone could say that it holds the events of several
        name, size = client_of(request.scope), _body_bytes(request)
        client = self._clients.get(name) or _Client()
        self._admit(client, size)
        added, event_id, state = await super().push(body, request, username)
        if added and isinstance(event_id, str):
            client.sessions[event_id], client.bytes[event_id] = str(body.session_hash), size
            self._clients[name] = client
            if event_id != body.session_hash:
                self._sessions.claim(str(body.session_hash), name)
            self._none_can_start = False
        return added, event_id, state

    @property
    def _sessions(self) -> Sessions:
        return cast(Sessions, self.blocks.state_holder)

    def _admit(self, client: _Client, size: int) -> None:
        self._close_read(client)
        if len(client.sessions) >= OPEN_EVENTS or sum(client.bytes.values()) + size > OPEN_MB * MIB:
            message = f"{len(client.sessions)} events from you wait or have answers that you have not fetched."
            raise Refused(429, "too_many", message, "Fetch their answers, or try again in 30 s.", 2)
        sizes = [size for each in self._clients.values() for size in each.bytes.values()]
        if len(sizes) >= ALL_EVENTS or sum(sizes) + size > ALL_MB * MIB:
            raise overloaded()

    def _close_read(self, client: _Client) -> None:
        """Gradio forgets an event whose answer was fetched, or whose session left before it ran."""
        for event_id, session in list(client.sessions.items()):
            if event_id not in self.pending_event_ids_session.get(session, ()):
                del client.sessions[event_id]
                client.bytes.pop(event_id, None)

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """Take the event to start next from the queue, if any can start. Asked a thousand times a second."""
        if self._none_can_start:
            return None
        running = Counter(client_of(event.request.scope) for job in self.active_jobs for event in job or ())
        groups = self.event_queue_per_concurrency_id.values()
        free = (group for group in groups if group.current_concurrency < (group.concurrency_limit or math.inf))
        waiting = [
            (running[name], self._clients[name].turn if name in self._clients else 0, event.enqueue_time, event)
            for group in free for event in group.queue
            if running[name := client_of(event.request.scope)] < RUNNING
        ]  # fmt: skip
        if not waiting:
            self._none_can_start = True
            return None
        event = min(waiting, key=lambda item: item[:3])[3]
        if client := self._clients.get(client_of(event.request.scope)):
            client.turn = next(self._turns)
        self.event_queue_per_concurrency_id[event.concurrency_id].queue.remove(event)
        return [event], False, event.concurrency_id

    async def process_events(self, events: list[Event], *others: Any) -> None:
        """Run an event, and forget its answer if nobody fetches it."""
        try:
            await super().process_events(events, *others)
        finally:
            self._none_can_start = False
            for event in events:
                self._ended(event, self._unread_seconds if event.alive else 0)

    async def remove_from_queue(self, event_id: str) -> None:
        """Cancel an event that waits."""
        event = self.event_ids_to_events.get(event_id)
        await super().remove_from_queue(event_id)
        if event is not None:
            self._ended(event, self._unread_seconds)

    def _ended(self, event: Event, seconds: float) -> None:
        name, event_id = client_of(event.request.scope), event._id  # noqa: SLF001 it has no other
        if client := self._clients.get(name):
            client.bytes.pop(event_id, None)
        if event_id == event.session_hash:  # whoever sent it named no session
            self._sessions.drop(event_id)
        asyncio.get_running_loop().call_later(seconds, self._forget, name, event.session_hash, event_id)

    def _forget(self, name: str, session: str, event_id: str) -> None:
        """Forget an event and what its session has not fetched of it."""
        ids = self.pending_event_ids_session.get(session, set())
        messages = self.pending_messages_per_session.get(session)
        if event_id in ids and messages is not None:
            unread = [messages.get_nowait() for _ in range(messages.qsize())]
            for message in unread:
                if message.event_id != event_id:
                    messages.put_nowait(message)
        ids.discard(event_id)
        if not ids:
            self.pending_event_ids_session.pop(session, None)
            self.pending_messages_per_session.pop(session, None)
        if client := self._clients.get(name):
            self._close_read(client)
            if not client.sessions:
                del self._clients[name]

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        """Keep a message until the event's session fetches it."""
        messages = self.pending_messages_per_session.get(event.session_hash)
        if messages is None:
            return
        if messages.qsize() < MESSAGES or isinstance(event_message, ProcessCompletedMessage):
            super().send_message(event, event_message)

    def compute_analytics_summary(self, _records: list[Any]) -> dict[str, Any]:
        """Leave out what Gradio computes after each event for a page of monitoring, which is off."""
        return {}


def _body_bytes(request: Any) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else UNKNOWN_MB * MIB
