"""The log: one line per event with the id of its request, as text or JSON."""

import logging
import logging.handlers
import re
import secrets
import sys
from contextvars import ContextVar
from typing import Any

from settings import Settings

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being answered; empty outside one."""
VALID_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
LOGGERS = ("experiments", "model_loader", "serving")
FILE_BYTES, FILES = 10_000_000, 5


def configure(settings: Settings) -> None:
    """Log to the terminal and, where DEMO_LOG_FILE is set, to that file too. Call it once."""
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
    for name in LOGGERS:
        logging.getLogger(name).setLevel(settings.log_level)


def formatter(as_json: bool) -> logging.Formatter:
    """Return the formatter of the standard library's records. Tracebacks come without the values of variables: keys,
    cookies and passwords are among them."""
    import structlog  # takes 0.1 s, for which `demo.py --help` does not wait

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


def request_id(given: str | None = None) -> str:
    """Return the id that a proxy or client gave if it is valid, so that a repeated request is recognised, else a new
    one."""
    return given if given and VALID_ID.fullmatch(given) else secrets.token_hex(16)


def _add_request_id(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    if current := REQUEST_ID.get():
        event["request_id"] = current
    return event
