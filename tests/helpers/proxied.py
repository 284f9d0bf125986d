"""Replicas that answer with their name and what they were sent, behind the project's nginx."""

import http.client
import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Replica(ThreadingHTTPServer):
    """Answers with its name, the headers and the size of the body that reached it; hangs up while `breaks` is set."""

    daemon_threads = True

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.breaks, self.status, self.asked = name, False, 0, []
        self.headers: dict[str, str] = {}  # of its answers
        threading.Thread(target=self.serve_forever, args=[0.02], daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.breaks:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.path == "/stream":
            self.stream()
            return
        answer = {
            "replica": self.server.name,
            "bytes": len(body),
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }
        content = json.dumps(answer).encode()
        self.send_response(self.server.status or (503 if self.path.startswith("/api/ready") else 200))
        for name, value in ({"Content-Length": str(len(content))} | self.server.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.go_on.wait(20)
        with suppress(OSError):
            self.wfile.write(b"data: second\n\n")

    do_GET = do_POST = do_DELETE = answer  # noqa: N815

    def log_message(self, *_arguments):
        pass


def ask(nginx, method, path, body=None, address="127.0.0.1", **headers):
    """Status, headers and the replica's own answer, over a connection of its own from this address."""
    connection = http.client.HTTPConnection(urlsplit(nginx.url).netloc, timeout=30, source_address=(address, 0))
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        content = reply.read()
    finally:
        connection.close()
    answer = json.loads(content) if content.startswith(b"{") else {}
    return reply.status, reply.headers, answer
