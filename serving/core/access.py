"""Who may do what: visitors ask for predictions, the operator sees the rest; no foreign page acts for either."""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from serving.core.errors import Refused
from settings import Settings

FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")
"""Headers of a request forwarded by some proxy or tunnel: its real sender is not this machine."""


@dataclass(frozen=True)
class Caller:
    """The sender of a request."""

    request_id: str
    headers: Mapping[str, str]  # names in lower case
    address: str  # of the client
    user: str | None  # logged in on the page


class Access:
    """The rules of one server. Names of headers are in lower case."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.operator_key.get_secret_value()
        self._login = (settings.username, settings.password.get_secret_value())
        self._origins = frozenset(split_names(settings.cors_origins))
        self._hosts = frozenset(split_names(settings.allowed_hosts))
        unshared = is_loopback(settings.host) and not settings.share and not settings.trusted_proxies
        self.needs_key = bool(not unshared or self._key or self._login[0])
        """Whether the operator has to send a key or a login."""

    def check_operator(self, headers: Mapping[str, str], user: str | None = None, key: str = "") -> None:
        """Raises Refused 401 for anyone but the operator. user: logged in on the page; key: typed there."""
        if self._is_operator(headers, user, key):
            return
        hint = "Send DEMO_OPERATOR_KEY as `Authorization: Bearer KEY`, or log in."
        if not self._key and not self._login[0]:
            hint = "Others reach this server, so it needs DEMO_OPERATOR_KEY or a login: set one and start it again."
        raise Refused(401, "operator_only", "This is the operator's.", hint)

    def check_visitor(self, headers: Mapping[str, str], user: str | None = None) -> None:
        """Raises Refused 401 for anyone without the login, where there is one: it guards page and API alike."""
        if self._login[0] and not self._is_operator(headers, user, ""):
            raise Refused(401, "login_needed", "This server asks for a login.", "Send it as HTTP Basic, or a key.")

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Raises Refused 403 for a foreign Origin, whatever is requested: no page of another site reads an answer."""
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host and origin not in self._origins:
            raise Refused(403, "foreign_origin", "Another site's page asks this.", "DEMO_CORS_ORIGINS lists who may.")

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Raises Refused 403 for a foreign Host. For the API, and for what changes something."""
        name = host_name(headers.get("host", ""))
        if (self._hosts and name not in self._hosts) or not (self.needs_key or is_loopback(name)):
            hint = "DEMO_ALLOWED_HOSTS lists this server's."
            raise Refused(403, "foreign_host", "The request names another host.", hint)

    def _is_operator(self, headers: Mapping[str, str], user: str | None, key: str) -> bool:
        if not self.needs_key:
            return is_loopback(host_name(headers.get("host", ""))) and not any(name in headers for name in FORWARDED)
        if user is not None and self._login[0]:
            return equal_in_constant_time(user, self._login[0])
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            return bool(self._login[0]) and equal_in_constant_time(_decode_basic(value), ":".join(self._login))
        sent = key or headers.get("x-api-key", "") or (value if kind.lower() == "bearer" else "")
        return bool(self._key) and equal_in_constant_time(sent, self._key)


def equal_in_constant_time(one: str, other: str) -> bool:
    """Compare without revealing by the time taken how much of it is right."""
    return hmac.compare_digest(one.encode(), other.encode())


def split_names(text: str) -> list[str]:
    """Split a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


@lru_cache(maxsize=1024)  # every request asks, mostly for the same few
def host_name(host: str) -> str:
    """Return the name in a Host header without its port; empty if malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _decode_basic(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
