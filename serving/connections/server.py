"""The server: uvicorn in a thread, which answers all that was sent to it before it stops."""

import asyncio
import contextlib
import math
import select
import socket
import threading

import uvicorn
from gradio import http_server
from starlette.types import ASGIApp

from serving.connections.protocol import LimitedProtocol
from serving.connections.registry import Connections
from settings import Settings

BACKLOG = 2048  # connections that wait to be accepted, as uvicorn has them
KEEP_ALIVE = 75  # s; after uvicorn's 5 s a program that thinks so long would now and then ask just when it is cut off
GRACE = 0.3  # s in which a connection without a request may still send one when the server stops
ANSWERS = 6.0  # s from then on in which requests are answered
FAREWELL = 1.0  # s for the streams of open pages to end after that, before they are cut off
PATIENCE = 1.0  # s for the server's thread beyond these


class Server(http_server.Server):
    """A server on a listening socket, with bounds on its connections."""

    server_state: Connections

    def __init__(self, app: ASGIApp, listener: socket.socket, settings: Settings) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,  # its faults go to our log; its own set-up would also close every handler there is
            log_level="warning",
            http=LimitedProtocol,
            ws="none",
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=math.ceil(2 * FAREWELL),  # for what goes on though its connection has ended
            forwarded_allow_ips=settings.trusted_proxies,
            workers=1,  # else WEB_CONCURRENCY is read
        )
        super().__init__(config)
        self.listener, self.server_state = listener, Connections.of(settings)
        self._thread = threading.Thread(target=self.run, args=([listener],), name="server", daemon=True)
        self._answered = threading.Event()

    def run_in_thread(self) -> bool:
        """Return whether requests are answered from now on."""
        self._thread.start()
        while not self.started and self._thread.is_alive():
            self._thread.join(0.001)
        return self.started

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end."""
        try:
            super().run(sockets)
        finally:
            self._answered.set()

    def drain(self) -> None:
        """Take no more connections and return once what was sent is answered, or that takes too long."""
        self.should_exit = True
        self._answered.wait(ANSWERS + PATIENCE)

    def close(self) -> None:
        """End every connection and the server; `Blocks.close` calls it."""
        self.should_exit = True
        self._thread.join(FAREWELL + PATIENCE if self._answered.is_set() else ANSWERS + FAREWELL + PATIENCE)

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once a second; called ten times as often."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in self._connections():
                connection.check_time(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was sent before the stop, let the page end its streams, and then cut off what is left."""
        loop = asyncio.get_running_loop()
        end = loop.time() + ANSWERS
        await self._stop_listening()
        self.server_state.stopping = True
        for connection in self._connections():
            connection.end_after_answer()
        await asyncio.sleep(GRACE)
        while (now := loop.time()) < end and any(each.in_use(now - GRACE) for each in self._connections()):
            await asyncio.sleep(0.02)
        self._answered.set()
        loop.call_later(FAREWELL, self._cut_off)
        await super().shutdown(sockets)

    async def _stop_listening(self) -> None:
        """Accept what the kernel has queued, then close at once: what is queued at that moment would be reset."""
        self.listener.listen(0)
        queued = select.poll()
        queued.register(self.listener, select.POLLIN)
        for _ in range(2 * BACKLOG):  # each turn of the loop accepts one; new ones may go on coming
            if not queued.poll(0):
                break
            await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)

    def _cut_off(self) -> None:
        for connection in self._connections():
            connection.cut_off()

    def _connections(self) -> list[LimitedProtocol]:
        return [each for each in self.server_state.connections if isinstance(each, LimitedProtocol)]
