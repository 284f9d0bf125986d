"""Keeps the secrets of the settings and the environment out of whatever is written: `***` stands in their place."""

import base64
import html
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus, unquote

from pydantic import SecretStr

from settings import Settings

HIDDEN = "***"
SHORTEST = 4
"""Characters; a shorter secret is in so many words that a log without them would be no log. As the password of a URL or
of a login it is hidden all the same."""
URL_PASSWORD = re.compile(r"(?<=://)([^/?#@:\s]*):([^/?#@\s]+)@")
URL_PASSWORDS = (URL_PASSWORD, *map(re.compile, (r"://([^/:@\s]*):([^@\s]+)@", r"://([^/:@\s]*):([^/?#\s]+)@")))
"""As SQLAlchemy and as others read a password with signs that should have been quoted."""
QUERY_PASSWORD = re.compile(r"[?&]\w*(?:password|secret|token|key)=([^&#\s]+)", re.IGNORECASE)
SECRET_VARIABLE = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|KEY|CREDENTIALS)$", re.IGNORECASE)

REWRITTEN: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    quote,
    lambda text: quote(text, safe=" +"),  # SQLAlchemy's
    quote_plus,
    html.escape,
    lambda text: repr(text)[1:-1],
    lambda text: repr(text.encode())[2:-1],
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
)
"""How a text stands in a URL, in HTML, as a literal, and in JSON."""


class Redactor:
    """Hides known secrets in text, however they are quoted, and the passwords of all URLs."""

    def __init__(self, secrets: Iterable[str], logins: Iterable[tuple[str, str]] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        forms |= {_base64(f"{name}:{password}".encode()).rstrip("=") for name, password in logins if password}
        self._forms = sorted(forms, key=len, reverse=True)

    @classmethod
    def of(cls, settings: Settings, environment: Mapping[str, str]) -> "Redactor":
        """Hide whatever is secret in these, by the type of a setting or the name of a variable."""
        values = {name: getattr(settings, name) for name in Settings.model_fields}
        secrets = {value.get_secret_value() for value in values.values() if isinstance(value, SecretStr)}
        secrets |= {value for name, value in environment.items() if SECRET_VARIABLE.search(name)}
        logins = {(settings.username, settings.password.get_secret_value())}
        names = [name for name in environment if name.endswith("_USERNAME")]
        logins |= {(environment[name], environment.get(name[:-8] + "PASSWORD", "")) for name in names}
        for url in (*environment.values(), *(value for value in values.values() if isinstance(value, str))):
            for name, password in chain.from_iterable(pattern.findall(url) for pattern in URL_PASSWORDS):
                secrets |= {password, unquote(password)}
                logins.add((unquote(name), unquote(password)))
            secrets |= {form for found in QUERY_PASSWORD.findall(url) for form in (found, unquote(found))}
        return cls(secrets, logins)

    def hide(self, secret: str) -> None:
        """Hide one more secret from now on."""
        if len(secret) >= SHORTEST:
            self._forms = sorted({*self._forms, *_forms(secret)}, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)


class RedactedStream:
    """A stream of text that hides secrets in each text written to it."""

    def __init__(self, stream: TextIO, redact: Callable[[str], str]) -> None:
        self.unredacted, self._redact = stream, redact

    def write(self, text: str) -> int:
        """Write without the secrets."""
        self.unredacted.write(self._redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.unredacted, name)


def protect_output(redactor: Redactor) -> None:
    """Hide secrets in all that this process prints from now on, tracebacks and warnings of libraries among it."""
    sys.stdout = cast(TextIO, RedactedStream(sys.stdout, redactor.redact))
    sys.stderr = cast(TextIO, RedactedStream(sys.stderr, redactor.redact))


def print_unredacted(line: str) -> None:
    """Print a line with its secret, for whoever has started the program."""
    stream = sys.stdout
    print(line, file=stream.unredacted if isinstance(stream, RedactedStream) else stream, flush=True)


def _forms(secret: str) -> set[str]:
    """The secret as it may stand in a text: rewritten up to three times, such as a literal in JSON, or Base64."""
    forms = {secret}
    for _ in range(3):
        forms |= {rewrite(form) for form in forms for rewrite in REWRITTEN}
    forms |= {re.sub("%..", lambda match: match[0].lower(), form) for form in forms}
    return forms | {form for start in range(3) if len(form := _within_base64(secret.encode(), start)) >= 6}


def _within_base64(secret: bytes, start: int) -> str:
    """The characters that the secret alone determines in Base64 of a longer text, where `start` bytes of a group of
    three stand before it: a user's name, for instance."""
    bits = 8 * start
    first, last = -(-bits // 6), (bits + 8 * len(secret)) // 6
    return _base64(bytes(start) + secret)[first:last]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
