"""What a program is told when it is refused: one shape, a status, and what to do about it."""

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from starlette.responses import Response

UNREAD = (408, 413)  # leave a body behind that nobody will read


class Refused(Exception):  # noqa: N818 what happened to the request
    """A request is refused. `code` is for programs, `message` says what is wrong and `hint` what to do."""

    def __init__(self, status: int, code: str, message: str, hint: str = "", retry_after: int | None = None) -> None:
        super().__init__(f"{message} {hint}".rstrip())
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status in UNREAD:
            self.headers["Connection"] = "close"

    def body(self) -> dict[str, str]:
        """What stands under "error" in the answer."""
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def response(self) -> "Response":
        """The answer as a whole. Gradio's page shows its user the sentence under "detail"."""
        from starlette.responses import Response  # decoding workers import this module and need no web framework

        content = {"error": self.body(), "detail": str(self)}
        return Response(orjson.dumps(content), self.status, self.headers, "application/json")


def internal_error() -> Refused:
    """Something broke on this side; the details are in the log, under the request's id."""
    return Refused(500, "fault", "The fault is on this side and has been logged.", "Try again.")


def too_large(what: str, limit: str, hint: str = "Send less.") -> Refused:
    """More than a setting allows."""
    return Refused(413, "too_large", f"{what} is over the limit of {limit}.", hint)


def from_status(status: int) -> Refused:
    """An error that the framework found by itself: an unknown route, a method that it does not have."""
    known = {
        404: ("not_found", "There is no such route.", "GET /docs lists them."),
        405: ("wrong_method", "The route does not take this method.", "GET /docs lists them."),
    }
    return Refused(status, *known.get(status, ("refused", "The request was refused.", "See /docs.")))
