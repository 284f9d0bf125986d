"""A server of connections on this machine that are passed on to another port, every answer some time later."""

import asyncio
import threading
from contextlib import suppress

from benchmarks.processes import free_ports

CHUNK = 65_536  # bytes


class SlowProxy:
    """Passes `port` on to `target` until stop(). delay: s that whatever `target` sends arrives later."""

    def __init__(self, target: int) -> None:
        (self.port,) = free_ports(1)
        self.delay = 0.0
        self._target, self._loop, self._ready = target, asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Take connections, as from the start on."""
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def close(self) -> None:
        """End all connections and refuse further ones, as where no server runs."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()

    def stop(self) -> None:
        """Close for good."""
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # in which the transports close their sockets

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(self._copy(reader, target_writer, False), self._copy(target_reader, writer, True))
        finally:
            for each in (writer, target_writer):
                each.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if late:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
        writer.close()
