"""HTTP/1.1 on one connection: uvicorn's, with bounds on heads, pipelining and time."""

import asyncio
import select
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.connections.registry import Connections
from serving.core.clients import plain
from serving.core.errors import Refused
from serving.core.received import DRAINED
from serving.middleware.headers import OF_DATA

HEAD_BYTES = 64 * 1024  # of a request's head, and of what follows the last chunk of its body
HEAD_FIELDS = 100  # headers and trailers of a request
HEAD_SECONDS = 10.0  # within which a whole head arrives, from the connection or the head's first byte on
MAX_PIPELINED = 16  # requests that wait for the answer to an earlier one
UNREAD_SECONDS = 30.0  # after which a client that reads nothing of its answer is cut off
ENDLESS = "/gradio_api/heartbeat/"  # beginning of the path of an open page's stream

MALFORMED = Refused(400, "malformed", "The request is not HTTP/1.1.", "Send it by a client that speaks it.")
FLOODED = Refused(400, "pipelined", f"Over {MAX_PIPELINED} requests came at once.", "Wait for an answer.")
OVERLONG = Refused(431, "head_too_large", f"Over {HEAD_BYTES // 1024} KiB or {HEAD_FIELDS} headers.", "Send fewer.")
CROWDED = Refused(503, "crowded", "Too many connections are open, or too many of yours.", "Close some.", 1)


class LimitedProtocol(HttpToolsProtocol):
    """A connection that is closed when its client sends too much, too slowly or too many requests, or reads nothing."""

    server_state: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.used_at = self.loop.time()
        """When the connection was made, the last whole head arrived or the last answer ended."""
        self._head_due: float | None = self.used_at + HEAD_SECONDS
        self._unparsed = 0  # bytes since the parser last completed a head, a message or a piece of a body
        self._completed = False  # whether it did with the data just received
        self._dropped = 0  # bytes of a body that came after its request was answered
        self._unread, self._read_at = 0, self.used_at  # bytes of answers not yet sent; when some last were
        self._refusal = MALFORMED

    @property
    def address(self) -> str:
        """The client's address, or its proxy's."""
        return self.client[0] if self.client else ""

    @property
    def busy(self) -> bool:
        """Whether a request is being received or answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def in_use(self, since: float) -> bool:
        """Whether a request is being answered, but for the stream of an open page, or one was since this time."""
        if self.busy:
            return not self.cycle.scope["path"].startswith(ENDLESS)
        return self.used_at > since

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless there are too many."""
        super().connection_made(cast(asyncio.Transport, transport))
        if self.client:
            self.client = plain(self.client[0]), self.client[1]
        if not self.server_state.admit(self):
            self._refuse(CROWDED)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was asked on the connection."""
        self.server_state.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived. Of a head the parser keeps all, however long it gets."""
        self._unparsed += len(data)
        self._completed = False
        super().data_received(data)
        if self._completed:
            self._unparsed = 0
        elif self._unparsed > HEAD_BYTES:
            self._refuse(OVERLONG)
        if not self.busy and self._head_due is None:
            self._head_due = self.loop.time() + HEAD_SECONDS

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header or a trailer. Raises ValueError when there are too many."""
        if len(self.headers) == HEAD_FIELDS:
            self._stop_parsing(OVERLONG)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer. Raises ValueError when the head is too large or too many requests wait."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._stop_parsing(OVERLONG)
        if len(self.pipeline) == MAX_PIPELINED:
            self._stop_parsing(FLOODED)
        self._completed, self._head_due, self.used_at = True, None, self.loop.time()
        self._dropped = 0
        super().on_headers_complete()
        if self.server_state.stopping:
            self.end_after_answer()

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of a body, or drop it where the answer needed none."""
        self._completed = True
        if not self.busy:
            self._dropped += len(body)
            if self._dropped > DRAINED:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request's body."""
        self._completed = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer."""
        self.used_at = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 uvicorn's words
        """Answer what could not be parsed or was refused meanwhile."""
        self._refuse(self._refusal)

    def resume_writing(self) -> None:
        """Note that the client reads."""
        self._read_at = self.loop.time()
        super().resume_writing()

    def end_after_answer(self) -> None:
        """Close the connection after an answer that can still say so, unless it is the page's, which tells by a second
        request what came of the first."""
        if not self.busy or self.cycle.response_started:
            return
        scope = self.cycle.scope
        self.cycle.keep_alive = scope["method"] == "POST" and scope["path"].startswith("/gradio_api/")

    def shutdown(self) -> None:
        """Close the connection, after the answer if there is a request, even one that has not been read yet."""
        arrived = select.poll()
        arrived.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        if self.busy or not arrived.poll(0):
            super().shutdown()

    def check_time(self, now: float) -> None:
        """Close the connection if its client takes too long; called every second."""
        if self._head_due is not None and now > self._head_due:
            self.transport.close()
        unread = self.transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self._read_at = now
        elif now > self._read_at + UNREAD_SECONDS:
            self.cut_off()
        self._unread = unread

    def cut_off(self) -> None:
        """Close the connection at once. What is still to come of an answer is dropped: to write it would be a fault."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.transport.abort()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer the request as if it had asked for no other protocol: Java's client asks for HTTP/2 by default."""

    def _stop_parsing(self, refused: Refused) -> None:
        self._refusal = refused
        raise ValueError(refused.message)

    def _refuse(self, refused: Refused) -> None:
        """Close the connection, with this answer unless an earlier request's is due."""
        if self.transport.is_closing():
            return
        if not self.busy:
            response = refused.response()
            headers = [*response.raw_headers, *OF_DATA, (b"connection", b"close")]
            lines = [STATUS_LINE[refused.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n"]
            self.transport.write(b"".join(lines) + bytes(response.body))
        self.transport.close()
