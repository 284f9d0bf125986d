"""A server over real sockets whose application answers with what was sent."""

import json
import socket
from types import SimpleNamespace

import pytest

from serving.connections.server import Server


class App:
    """Answers with the path and the size of the body; /large with as many MB as its query says; /unread at once."""

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        size, more = 0, True
        while more and scope["path"] != "/unread":
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        content = json.dumps({"path": scope["path"], "headers": len(scope["headers"]), "bytes": size}).encode()
        if scope["path"] == "/large":
            content = b"a" * int(scope["query_string"]) * 1_000_000
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]}
        )
        await send({"type": "http.response.body", "body": content})


def start(settings, app=None):
    server = Server(app or App(), socket.create_server(("127.0.0.1", 0), backlog=2048), settings)
    port = server.listener.getsockname()[1]
    assert server.run_in_thread()
    return SimpleNamespace(server=server, address=("127.0.0.1", port), port=port)


@pytest.fixture(scope="session")
def serve(settings):
    """Starts a server with these changes of the settings."""
    servers = []

    def serve(app=None, **changes):
        servers.append(start(settings.model_copy(update=changes), app))
        return servers[-1]

    yield serve
    for each in servers:
        each.server.close()


@pytest.fixture(scope="session")
def served(serve):
    return serve()
