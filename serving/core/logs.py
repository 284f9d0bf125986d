"""The log: a line an event, with the id of the request it belongs to; text for people, or JSON."""

import logging
import logging.handlers
import re
import secrets
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from settings import Settings

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered; empty outside one."""
GIVEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
OURS = ("experiments", "model_loader", "serving")
FILE_BYTES, FILES = 10_000_000, 5


def configure(settings: "Settings") -> None:
    """Send what is logged to the terminal and, where DEMO_LOG_FILE is set, to that file too. To be called once."""
    root = logging.getLogger()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if settings.log_file is not None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(settings.log_file, maxBytes=FILE_BYTES, backupCount=FILES - 1)
        )
    for handler in handlers:
        handler.setFormatter(formatter(settings.log_json))
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(settings.log_level)


def formatter(as_json: bool) -> logging.Formatter:
    """How a record of the standard library becomes a line. A traceback comes without the values of variables: keys,
    cookies and passwords are among them."""
    import structlog

    chain: list[Any] = [structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder(), _add_request_id]
    if as_json:
        traceback_as_dicts = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        stamp = structlog.processors.TimeStamper("iso", utc=True)
        chain += [structlog.stdlib.add_logger_name, stamp, structlog.processors.ExceptionRenderer(traceback_as_dicts)]
        last: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        chain.append(structlog.processors.TimeStamper("%H:%M:%S", utc=False))
        plain = structlog.dev.plain_traceback
        last = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, exception_formatter=plain)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
    )


def request_id(given: str | None) -> str:
    """The id that a proxy or client gave if it is one, so that a repeated request is known; else a new one."""
    return given if given and GIVEN.fullmatch(given) else secrets.token_hex(16)


def _add_request_id(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    if number := REQUEST_ID.get():
        event["request_id"] = number
    return event
