"""A request's body as it is received: within bounds of size, time and pace."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.types import Receive

from serving.core.errors import Refused, too_large
from serving.core.limits import KIB, MIB, Held

DRAINED = 32 * MIB  # read beyond the limit and dropped, since most programs send all before they listen


@dataclass(frozen=True)
class Pace:
    """How fast a body has to come, in seconds: at most `pause` between two parts of it, and `total` for all."""

    pause: float
    total: float


BODY_PACE = Pace(10, 30)


def announced_bytes(headers: Mapping[str, str]) -> int:
    """Return the size that a request announces, 0 where it does not."""
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


async def read_body(
    headers: Mapping[str, str], receive: Receive, held: Held, limit: int, pace: Pace = BODY_PACE
) -> bytes:
    """Return the whole body, of `limit` bytes at most. Raises Refused for one that is too large, incomplete or slow, or
    where there is no room for it."""
    check_announced(headers, limit)
    body, size = io.BytesIO(), 0
    async for part in parts(receive, pace):
        size += len(part)
        if size <= limit:
            held.reserve(len(part))
            body.write(part)
        elif size > limit + DRAINED:
            break
        else:
            held.release()
            body = io.BytesIO()
    if size > limit:
        raise body_too_large(limit)
    return body.getvalue()


def check_announced(headers: Mapping[str, str], limit: int) -> None:
    """Raises Refused for a body that is not even read to its end and dropped."""
    if announced_bytes(headers) > limit + DRAINED:
        raise body_too_large(limit)


def body_too_large(limit: int) -> Refused:
    """A body of more than `limit` bytes."""
    return too_large("The body", f"{limit // MIB} MiB" if limit >= MIB else f"{limit // KIB} KiB")


async def parts(receive: Receive, pace: Pace) -> AsyncIterator[bytes]:
    """Yield the parts of a body as they arrive. Raises Refused for one that is incomplete or too slow."""
    now = asyncio.get_running_loop().time
    end, more = now() + pace.total, True
    while more:
        if now() >= end:
            raise _too_slow(f"The body took over {pace.total:.0f} s.")
        try:
            async with asyncio.timeout(min(pace.pause, end - now())):
                message = await receive()
        except TimeoutError:
            raise _too_slow(f"Nothing more of the body came for {pace.pause:.0f} s.") from None
        if message["type"] == "http.disconnect":
            raise Refused(400, "incomplete", "The body ended before it was complete.", "Send it again.")
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _too_slow(message: str) -> Refused:
    return Refused(408, "too_slow", message, "Send it at once.")
