"""What several routes need: who asks, and what they are told."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import Request

from serving.api.schemas import ErrorAnswer
from serving.core.access import Caller

if TYPE_CHECKING:
    from serving.services import Services

REFUSED: dict[int | str, dict[str, Any]] = {409: {"model": ErrorAnswer}}


def operator(services: "Services", request: Request) -> Caller:
    """Who asks for what is the operator's. Raises Refused 401 for anyone else."""
    caller: Caller = request.state.caller
    services.access.check_operator(caller.headers, caller.user)
    return caller


def visitor(services: "Services", request: Request, rate: str) -> Caller:
    """Who asks, within the rate of that name. Raises Refused 401 where a login is missing, 429."""
    caller: Caller = request.state.caller
    services.access.check_visitor(caller.headers, caller.user)
    services.rates.admit(rate, caller.address)
    return caller


def iso(seconds: float) -> str:
    """seconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
