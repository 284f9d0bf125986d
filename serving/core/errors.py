"""Refused requests: a status, a code for programs, what is wrong and what to do about it."""

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from starlette.responses import Response

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONGEST_MESSAGE = 500  # characters: what was sent wrongly is told, but not sent back whole
BODY_UNREAD = (408, 413)  # of these the rest of the body is never read, so that the connection can't be used again


class Refused(Exception):  # noqa: N818 says what happened to the request
    """A refused request. code: for programs; message: what is wrong; hint: what to do; retry_after: s."""

    def __init__(self, status: int, code: str, message: str, hint: str = "", retry_after: int | None = None) -> None:
        message = shortened(message, LONGEST_MESSAGE)
        super().__init__(f"{message} {hint}".rstrip())
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status in BODY_UNREAD:
            self.headers["Connection"] = "close"

    def body(self) -> dict[str, str]:
        """The object under "error" in the response."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def response(self, translate: Callable[[str], str] = str) -> "Response":
        """The whole response. Gradio's page shows the sentence under "detail", which is translated for it."""
        from starlette.responses import Response  # decoding workers import this module and need no web framework

        content = {"error": self.body(), "detail": translate(str(self))}
        return Response(orjson.dumps(content), self.status, self.headers, "application/json")


def shortened(text: str, longest: int) -> str:
    """Cut a text that may come from outside."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def too_large(what: str, limit: str, hint: str = "Send less.") -> Refused:
    """More than a setting allows."""
    return Refused(413, "too_large", f"{what} is over the limit of {limit}.", hint)


def from_os_error(error: OSError) -> Refused | None:
    """The refusal of what finds no room on a disk; None for any other fault."""
    if error.errno not in NO_ROOM:
        return None
    return Refused(507, "no_room", "The disk is full, so nothing was kept.", "Try again once there is room on it.")


def from_status(status: int) -> Refused:
    """An error that the framework found itself, such as an unknown route or method."""
    known = {
        404: ("not_found", "There is no such route.", "GET /docs lists them."),
        405: ("wrong_method", "The route does not take this method.", "GET /docs lists them."),
    }
    return Refused(status, *known.get(status, ("refused", "The request was refused.", "See /docs.")))
