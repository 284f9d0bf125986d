"""Who may do what: visitors ask for predictions, the operator sees the rest; no foreign page acts for either."""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import urlsplit

from serving.core.client_ids import ClientIds
from serving.core.credentials import Credentials
from serving.core.errors import Refused
from serving.core.guesses import Guesses
from settings import Settings


@dataclass(frozen=True)
class Caller:
    """The sender of a request."""

    request_id: str
    client: str
    is_operator: bool = False
    refusal: Refused | None = None  # of a guess too many at key or login; None: there was none


class Access:
    """The rules of one server. Names of headers are in lower case."""

    def __init__(self, settings: Settings, guesses: Guesses, client_ids: ClientIds) -> None:
        self.credentials = Credentials(settings, guesses, client_ids)
        self._has_login = bool(settings.username)
        self._origins = frozenset(split_names(settings.cors_origins))
        self._hosts = [_host_pattern(name) for name in split_names(settings.allowed_hosts)]
        is_shared = not is_loopback(settings.host) or settings.share or bool(settings.trusted_proxies)
        self._takes_any_host = is_shared or not self.credentials.key.is_made

    async def identify(self, request_id: str, headers: Mapping[str, str], client: str, user: str | None) -> Caller:
        """Return the sender of a request by what it shows, never by where it comes from. user: logged in on the page.
        A guess too many is refused only where the operator is needed."""
        try:
            return Caller(request_id, client, await self.credentials.are_operators(headers, client, user))
        except Refused as refusal:
            return Caller(request_id, client, refusal=refusal)

    def check_operator(self, caller: Caller) -> None:
        """Raises Refused 401 for anyone but the operator, 429 for whoever guesses."""
        if not caller.is_operator:
            raise caller.refusal or Refused(401, "operator_only", "This is the operator's.", self._hint())

    def check_visitor(self, caller: Caller) -> None:
        """Raises Refused 401 for anyone without the login, where there is one: it guards page and API alike."""
        if self._has_login and not caller.is_operator:
            hint = "Send it as HTTP Basic, or a key."
            raise caller.refusal or Refused(401, "login_needed", "This server asks for a login.", hint)

    def _hint(self) -> str:
        if not self.credentials.key.text:
            return "Log in, or send the login as HTTP Basic."
        where = "the one in the link that the program printed at its start"
        key = where if self.credentials.key.is_made else "DEMO_OPERATOR_KEY"
        return f"Give the key at /operator, or send it as `Authorization: Bearer KEY`: {key}."

    def check_origin(self, headers: Mapping[str, str], scheme: str = "http") -> None:
        """Raises Refused 403 for a foreign Origin, whatever is requested: no page of another site reads an answer.
        scheme: `https` if TLS is known to have been used; behind a proxy that is not trusted it is not known."""
        origin = headers.get("origin")
        if origin is None or origin in self._origins:
            return
        sent = origin.partition("://")[0].lower()
        if sent == scheme or (sent == "https" and scheme == "http"):
            host = with_port(headers.get("host", ""), sent)
            if with_port(origin.partition("://")[2], sent) == host:
                return
        raise foreign_origin()

    def check_site(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """Raises Refused 403 for what a browser says to come from a page of another site, but for the opening of a
        page, by itself or in a frame, and for pages that may call."""
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin") or headers.get("origin") in self._origins:
            return
        opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in ("document", "iframe")
        if method != "GET" or path == "/logout" or not opens:
            raise foreign_origin()

    def check_host(self, headers: Mapping[str, str]) -> None:
        """Raises Refused 403 for a foreign Host. For the API, and for what changes something."""
        name = host_name(headers.get("host", ""))
        is_listed = any(fnmatchcase(name, allowed) for allowed in self._hosts) if self._hosts else self._takes_any_host
        if not (is_listed or is_loopback(name)):
            listed = f"DEMO_ALLOWED_HOSTS={name}" if re.fullmatch(r"[\w.:-]+", name, re.ASCII) else "DEMO_ALLOWED_HOSTS"
            hint = f"Behind a proxy set DEMO_TRUSTED_PROXIES to its address; {listed} lets this host in."
            raise Refused(403, "foreign_host", "The request names another host than this server's.", hint)


def foreign_origin() -> Refused:
    """A request by a page of another site."""
    hint = (
        "DEMO_CORS_ORIGINS lists who may. Behind a proxy have it pass on the header Host, and set DEMO_TRUSTED_PROXIES."
    )
    return Refused(403, "foreign_origin", "Another site's page asks this.", hint)


@lru_cache(maxsize=1024)
def with_port(authority: str, scheme: str) -> str:
    """Return a host in lower case with its port, which both Host and Origin leave out where it is the usual one."""
    has_port = authority.rpartition(":")[2].isdecimal()  # not so an IPv6 address in brackets
    return authority.lower() if has_port else f"{authority.lower()}:{443 if scheme == 'https' else 80}"


def split_names(text: str) -> list[str]:
    """Split a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


@lru_cache(maxsize=1024)  # every request asks, mostly for the same few
def host_name(host: str) -> str:
    """Return the name in a Host header in lower case, without its port and the root's dot; empty if malformed."""
    if "@" in host:  # before which a URL has a user's name
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _host_pattern(allowed: str) -> str:
    """Return what a host's name has to match. allowed: a name, also with a scheme, a port, umlauts or a `*`."""
    name = host_name(allowed.rpartition("://")[2].rstrip("/"))
    with suppress(UnicodeError):
        name = name.encode("idna").decode()  # as browsers send it
    return name


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
