"""The log: one line per event with the id of its request, as text or JSON, written by a thread of its own."""

import copy
import logging
import os
import queue
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from traceback import TracebackException
from typing import Any, TextIO

from redaction import Redactor, protect_output
from serving.core.private_files import private_file, private_folder
from settings import Settings, SettingsError

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request being answered; empty outside one."""
VALID_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,63}")
LOGGERS = ("experiments", "model_loader", "serving")
FILE_BYTES, FILES = 10_000_000, 5
WAITING = 2000  # lines that wait to be written at most; more are dropped and counted
LONGEST = 10_000  # characters of a message


def configure(settings: Settings) -> Redactor:
    """Log to the terminal and, where DEMO_LOG_FILE is set, to that file too; keep secrets out of both, and out of
    whatever else is printed, by what is returned. Call it once. Raises SettingsError for a file that can't be
    written."""
    redactor = Redactor.of(settings, os.environ)
    handlers: list[logging.Handler] = [_Terminal(sys.stderr)]
    if settings.log_file is not None:
        handlers.append(file_handler(settings.log_file))
    written = _RedactingFormatter(formatter(settings.log_json), redactor)
    for handler in handlers:
        handler.setFormatter(written)
    root = logging.getLogger()
    root.handlers[:] = [BackgroundHandler(handlers, extractor(settings.log_json), redactor.redact)]
    root.setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(settings.log_level)
    protect_output(redactor)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda fault: _log_uncaught(fault.exc_type, fault.exc_value, fault.exc_traceback)
    return redactor


class BackgroundHandler(QueueHandler):
    """Has other handlers write each record in a thread, so that an event loop waits neither for a traceback to be
    rendered nor for a terminal; closing it, as the end of the process does, writes what is waiting."""

    queue: "queue.SimpleQueue[logging.LogRecord]"  # of Queue's lock, a destructor that logs could wait for ever

    def __init__(
        self,
        handlers: Sequence[logging.Handler],
        extract: Callable[[Any], Any],
        redact: Callable[[str], str],
        waiting: int = WAITING,
    ) -> None:
        super().__init__(queue.SimpleQueue())
        self._handlers, self._extract, self._redact = handlers, extract, redact
        self._waiting, self._dropped = waiting, 0
        self._listener: QueueListener | None = QueueListener(self.queue, *handlers)
        self._listener.start()

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return a copy that refers neither to frames, which would keep pictures in memory, nor to the context."""
        prepared, message = copy.copy(record), record.getMessage()
        prepared.msg, prepared.args = message if len(message) <= LONGEST else self._redact(message)[:LONGEST], None
        prepared.exc_info = prepared.exc_text = None
        if record.exc_info and record.exc_info[0]:
            prepared.exception = self._extract(record.exc_info)
        if current := REQUEST_ID.get():
            prepared.request_id = current
        return prepared

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits: a record without room is dropped, and how many were is said before the next that has room."""
        if self.queue.qsize() >= self._waiting:
            self._dropped += 1
            return
        if self._dropped:
            text = f"{self._dropped} lines were dropped: there were more than could be written."
            lost = {"name": __name__, "levelname": "WARNING", "levelno": logging.WARNING, "msg": text}
            self.queue.put(logging.makeLogRecord(lost))
            self._dropped = 0
        self.queue.put(record)

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
            for handler in self._handlers:
                handler.close()
        super().close()


class _Terminal(logging.StreamHandler[TextIO]):
    """A stream that may lead to a full disk, or to a pipe that nobody reads: what can't be written is left out."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 logging's name
        """Be silent about what only the terminal could tell."""
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


class _PrivateFile(RotatingFileHandler):
    """A log file that its owner alone reads. A full disk is told on the terminal, once."""

    _is_told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 logging's name
        """Say why nothing more is written, in place of a traceback for each record."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._is_told:
            self._is_told = True
            with suppress(OSError):
                print(f"DEMO_LOG_FILE: {self.baseFilename} can't be written ({error.strerror}).", file=sys.stderr)

    def _open(self) -> Any:
        private_file(Path(self.baseFilename))
        return super()._open()


def file_handler(path: Path) -> RotatingFileHandler:
    """Return the handler of a log file. Raises SettingsError where it can't be written."""
    try:
        private_folder(path.parent)
        return _PrivateFile(path, maxBytes=FILE_BYTES, backupCount=FILES - 1)
    except OSError as error:
        raise SettingsError(f"DEMO_LOG_FILE: {path} can't be written ({error.strerror}).") from None


class _RedactingFormatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner, self._redactor = inner, redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self._inner.format(record))


def formatter(as_json: bool) -> logging.Formatter:
    """Return the formatter of the records that BackgroundHandler prepares."""
    import structlog  # takes 0.1 s, for which `demo.py --help` does not wait

    chain: list[Any] = [structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()]
    if as_json:
        chain += [structlog.stdlib.add_logger_name, _add_iso_time]
        last: Any = structlog.processors.JSONRenderer()
    else:
        chain += [_add_clock_time, _keep_in_lines]
        last = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=chain, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
    )


def request_id(given: str | None = None) -> str:
    """Return the id that a proxy or client gave if it is valid, so that a repeated request is recognised, else a new
    one."""
    return given if given and VALID_ID.fullmatch(given) else secrets.token_hex(16)


def extractor(as_json: bool) -> Callable[[Any], Any]:
    """What is taken of an exception where it is logged. Never the values of variables: keys, cookies and passwords are
    among them. Reading and rendering the lines of source is left to the thread that writes."""
    if not as_json:
        return lambda exc_info: TracebackException(*exc_info, lookup_lines=False)
    import structlog

    return structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def _add_iso_time(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    event["timestamp"] = datetime.fromtimestamp(event["_record"].created, UTC).isoformat().replace("+00:00", "Z")
    return event


def _add_clock_time(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    event["timestamp"] = time.strftime("%H:%M:%S", time.localtime(event["_record"].created))
    return event


def _keep_in_lines(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Let no text begin a line that looks like an event's own, or move the terminal's cursor."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _printable(value)
    if isinstance(error := event.get("exception"), TracebackException):
        lines = "".join(error.format()).rstrip("\n").split("\n")
        event["exception"] = "\n".join(f"    {_printable(line)}" for line in lines)  # indented: no event's own
    return event


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: Any) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    logging.getLogger(__name__).critical("Uncaught exception", exc_info=(kind, error, trace))
