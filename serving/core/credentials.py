"""What the operator shows with a request: the cookie of the operator's key, the key itself, or the login."""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping

from serving.core.client_ids import ClientIds
from serving.core.guesses import Guesses
from serving.core.limits import ClientLocks
from serving.core.operator_key import OperatorKey
from settings import Settings

REMEMBERED = 4096  # keys and logins that were right, of all clients, and as many that were wrong


class Credentials:
    """Key and login of one server. Names of headers are in lower case."""

    def __init__(self, settings: Settings, guesses: Guesses, client_ids: ClientIds) -> None:
        self.key = OperatorKey(settings, client_ids)
        self.login_name = settings.username
        self._login = f"{settings.username}:{settings.password.get_secret_value()}" if settings.username else ""
        self._guesses, self._locks = guesses, ClientLocks()
        self._digest_key = secrets.token_bytes(32)
        # By whether they are right: digests of client and secret. Wrong ones push no right one out.
        self._compared = {False: OrderedDict[str, None](), True: OrderedDict[str, None]()}

    async def are_operators(self, headers: Mapping[str, str], client: str, user: str | None) -> bool:
        """Whether a request is the operator's. user: logged in on the page. Raises Refused 429 for whoever guesses."""
        if user is not None and self.login_name:
            return equal_in_constant_time(user, self.login_name)
        if self.key.is_in(headers.get("cookie", "")):
            return True
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            return await self._is_right(client, decode_basic(value), self._login)
        return await self.is_key(client, headers.get("x-api-key", "") or (value if kind.lower() == "bearer" else ""))

    async def is_key(self, client: str, key: str) -> bool:
        """Whether a client gives the operator's key. Raises Refused 429 for whoever guesses."""
        return await self._is_right(client, key, self.key.text)

    async def admit_login(self, client: str) -> None:
        """Let a login on the page, which the page itself compares, wait for its turn. Raises Refused 429."""
        await self._guesses.turn(client)

    async def _is_right(self, client: str, secret: str, right: str) -> bool:
        """Compare each secret of a client once: who repeats one, as a page does again and again, does not guess, and
        is never kept waiting."""
        if not secret or not right:
            return False
        text = "\0".join((client, secret, right)).encode(errors="surrogatepass")
        digest = hashlib.blake2b(text, key=self._digest_key, digest_size=16).hexdigest()
        async with self._locks.of(digest):
            is_right = digest in self._compared[True]
            if digest in self._compared[False]:
                self._guesses.repeat(client)
            elif not is_right:
                await self._guesses.turn(client)  # the right one too: a guess is not told apart by its answer
                is_right = equal_in_constant_time(secret, right)
            compared = self._compared[is_right]
            compared[digest] = None
            compared.move_to_end(digest)
            if len(compared) > REMEMBERED:
                compared.popitem(last=False)
        return is_right


def equal_in_constant_time(one: str, other: str) -> bool:
    """Compare without revealing by the time taken how much of it is right."""
    return hmac.compare_digest(one.encode(errors="surrogatepass"), other.encode())


def decode_basic(value: str) -> str:
    """Return `name:password` of an Authorization header; empty if it is malformed."""
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:  # neither ASCII nor base64, or no text in it
        return ""
