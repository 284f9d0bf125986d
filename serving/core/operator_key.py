"""The operator's key, and what stands for it: a cookie in a browser, and a ticket that opens the page once."""

import hashlib
import secrets
import time

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import cookie_parser

from serving.core.client_ids import ClientIds
from settings import Settings

COOKIE_SECONDS = 30 * 86_400
TICKET_SECONDS = 60.0


class OperatorKey:
    """The key that is set. Where none is, and no login, one is made at each start and kept in memory alone."""

    def __init__(self, settings: Settings, client_ids: ClientIds) -> None:
        key = settings.operator_key.get_secret_value()
        self.is_made = not key and not settings.username
        self.text = secrets.token_urlsafe() if self.is_made else key
        """Empty where there is a login alone."""
        signing_key = client_ids.derive_key(f"cookie of the operator's key {self.text}")
        self._signer = TimestampSigner(signing_key, digest_method=hashlib.sha256)
        # Browsers send the cookies of a host to each of its ports: the name tells one server's from another's.
        self.cookie_name = f"operator-{hashlib.sha256(signing_key).hexdigest()[:12]}"
        self._tickets = dict[str, float]()  # ticket -> when it expires

    def new_cookie(self) -> str:
        """The value of a cookie, which every server takes that has the same key and the same key of client ids."""
        return self._signer.sign("operator").decode()

    def is_in(self, cookies: str) -> bool:
        """Whether a Cookie header has a valid cookie."""
        if not self.text or self.cookie_name not in cookies:
            return False
        try:
            self._signer.unsign(cookie_parser(cookies).get(self.cookie_name, ""), max_age=COOKIE_SECONDS)
        except BadSignature:
            return False
        return True

    def new_ticket(self) -> str:
        """A text that can be given once, within a minute, in place of the key."""
        ticket = secrets.token_urlsafe()
        self._tickets[ticket] = time.monotonic() + TICKET_SECONDS
        return ticket

    def redeem(self, ticket: str) -> bool:
        """Whether a ticket is valid. It is not a second time."""
        return self._tickets.pop(ticket, 0.0) > time.monotonic()
