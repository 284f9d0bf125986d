"""What several routes need: who asks, and what they are told."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from serving.api.schemas import ErrorAnswer

if TYPE_CHECKING:
    pass

REFUSED: dict[int | str, dict[str, Any]] = {409: {"model": ErrorAnswer}}


def iso(seconds: float) -> str:
    """seconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
