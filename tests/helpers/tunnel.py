"""A tunnel that hands bytes on, as those do which bring a page of one machine to others: it changes no header."""

import shutil
import socket
import socketserver
import threading
from contextlib import suppress


class Tunnel(socketserver.ThreadingTCPServer):
    """Listens on `port` and leads each connection to the port `to`, until stop()."""

    daemon_threads = True

    def __init__(self, to: int) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.to, self.port = to, self.server_address[1]
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        self.shutdown()
        self.server_close()


class Connection(socketserver.BaseRequestHandler):
    """One connection, both ways."""

    server: Tunnel

    def handle(self) -> None:
        """Return once both sides have ended."""
        with socket.create_connection(("127.0.0.1", self.server.to)) as other:
            back = threading.Thread(target=pour, args=[other, self.request], daemon=True)
            back.start()
            pour(self.request, other)
            back.join()


def pour(source: socket.socket, target: socket.socket) -> None:
    """Hand on what comes until it ends."""
    with suppress(OSError), source.makefile("rb", 0) as reading, target.makefile("wb", 0) as writing:
        shutil.copyfileobj(reading, writing)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
