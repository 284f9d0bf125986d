"""How many connections there may be, in all and from each client, and which one makes room for the next."""

import ipaddress
import resource
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn.server import ServerState

from serving.core.access import split_names
from serving.core.clients import client_of_address
from settings import Settings

if TYPE_CHECKING:
    from serving.connections.protocol import LimitedProtocol

MAX_CONNECTIONS = 4096  # of all clients together, where the process may open as many files
RESERVED_FILES = 200  # descriptors for the database, the workers and the log
FILES_PER_CONNECTION = 2  # its socket, and the file that is sent to it


class Connections(ServerState):
    """The connections of one server, which its protocols share. For one event loop, without locks."""

    def __init__(self, per_client: int, total: int, trusted_proxies: str = "") -> None:
        """trusted_proxies: networks, separated by commas, of which each connection speaks for another client."""
        super().__init__()
        self._per_client, self._total = per_client, total
        self._proxies = [ipaddress.ip_network(name, strict=False) for name in split_names(trusted_proxies)]
        self._clients: defaultdict[str, set[LimitedProtocol]] = defaultdict(set)
        self._client_of = lru_cache(maxsize=4096)(self._identify)
        self.stopping = False

    @classmethod
    def of(cls, settings: Settings) -> "Connections":
        """As many as the settings and the limit of open files allow."""
        files = raise_file_limit(MAX_CONNECTIONS * FILES_PER_CONNECTION + RESERVED_FILES)
        total = max(1, (files - RESERVED_FILES) // FILES_PER_CONNECTION)
        return cls(settings.max_connections, min(total, MAX_CONNECTIONS), settings.trusted_proxies)

    def admit(self, connection: "LimitedProtocol") -> bool:
        """Count a new connection and tell whether it may stay. Where there are too many, one that waits for a request
        is closed for it: of the same client, or of the one that has most."""
        client = self._client_of(connection.address)
        if not client:
            return len(self.connections) <= self._total
        own = self._clients[client]
        if len(own) >= self._per_client and not self._close_one(own):
            return False
        if len(self.connections) > self._total:
            largest = max(self._clients.values(), key=len)
            if not self._close_one(largest, even_busy=len(largest) > len(own) + 1):
                return False
        self._clients[client].add(connection)
        return True

    def remove(self, connection: "LimitedProtocol") -> None:
        """Forget a connection that has ended."""
        client = self._client_of(connection.address)
        if client in self._clients:
            self._clients[client].discard(connection)
            if not self._clients[client]:
                del self._clients[client]

    def _close_one(self, connections: Iterable["LimitedProtocol"], even_busy: bool = False) -> bool:
        """Close the connection that has been unused for longest. Return whether there was one."""
        candidates = [each for each in connections if even_busy or not each.busy]
        if not candidates:
            return False
        oldest = min(candidates, key=lambda each: (each.busy, each.used_at))
        self.remove(oldest)
        oldest.cut_off()
        return True

    def _identify(self, address: str) -> str:
        """Return the client of a connection; empty for a proxy, which is many."""
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return address or "unknown"
        return "" if any(ip in proxies for proxies in self._proxies) else client_of_address(address)


def raise_file_limit(wanted: int) -> int:
    """Let this process open so many files, or as many as it is allowed. Return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed, soft)
