"""Times as the page shows them."""

from datetime import UTC, datetime


def format_utc(seconds: float) -> str:
    """The time, given in seconds since 1970, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
