"""Who counts as one client, and whose network a client is in."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

CLIENT_BITS = 64  # of an IPv6 address: what a subscriber has, and within which he can take any address
NETWORK_BITS = {4: 24, 6: 48}  # by IP version: what is routed, and mostly given out, as one
REMEMBERED = 4096  # addresses; every request asks, mostly for the same


def client_of(scope: Mapping[str, Any]) -> str:
    """Return the client of a request; behind a trusted proxy uvicorn has put its address in the proxy's place."""
    return client_of_address(scope["client"][0] if scope.get("client") else "")


@lru_cache(maxsize=REMEMBERED)
def client_of_address(address: str) -> str:
    """Return an IPv4 address as it is, an IPv6 address as its /64, and what is no address as it is."""
    ip = _parse(address)
    if ip is None:
        return address
    if ip.version == 4 or ip.is_loopback:
        return str(ip)
    return _prefix(ip, CLIENT_BITS)


@lru_cache(maxsize=REMEMBERED)
def network_of(client: str) -> str:
    """Return the network of a client, which has other clients in it; of what is no address itself."""
    ip = _parse(client.partition("/")[0])
    return client if ip is None else _prefix(ip, NETWORK_BITS[ip.version])


def plain(address: str) -> str:
    """Return an IPv4 address as such where IPv6 maps it, as it does on a socket that listens for both."""
    ip = _parse(address) if address.startswith("::ffff:") else None
    return address if ip is None else str(ip)


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, of one that maps IPv4 into IPv6 the IPv4 address; None for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def _prefix(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> str:
    return str(ipaddress.ip_network((ip, bits), strict=False))
