import gc
import json
import logging
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from serving.core import logs
from serving.storage.database import Database
from settings import Settings, SettingsError


@pytest.fixture
def log(settings, tmp_path):
    """Sets the log up into a file; gives what was logged as lines, and ends it. The usual log comes back at the end."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    streams, hooks = (sys.stdout, sys.stderr), (sys.excepthook, threading.excepthook)

    def log(**changes):
        logs.configure(settings.model_copy(update={"log_file": tmp_path / "logs" / "serving.log"} | changes))
        (handler,) = root.handlers

        def lines():
            handler.close()
            return (tmp_path / "logs" / "serving.log").read_text().split("\n")[:-1]

        return lines

    yield log
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = before
    (sys.stdout, sys.stderr), (sys.excepthook, threading.excepthook) = streams, hooks
    logging.captureWarnings(False)
    for name in logs.LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def test_a_line_of_json_carries_time_level_and_request(log):
    lines = log(log_json=True)
    logs.REQUEST_ID.set("the-request")
    logging.getLogger("serving.test").warning("Something of %s", "note")
    logs.REQUEST_ID.set("")
    (line,) = map(json.loads, lines())
    assert (line["event"], line["level"], line["request_id"]) == ("Something of note", "warning", "the-request")
    assert line["timestamp"].endswith("Z")
    assert line["logger"] == "serving.test"


def test_people_get_text_and_only_what_they_asked_for(log):
    lines = log(log_level="WARNING")
    logging.getLogger("serving.test").info("too little")
    logging.getLogger("some.library").info("not ours")
    logging.getLogger("serving.test").error("enough")
    assert len(lines()) == 1
    assert "enough" in lines()[0]
    assert "{" not in lines()[0]


def test_a_traceback_stays_within_its_line_of_json(log):
    lines = log(log_json=True)
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("serving.test").exception("It failed")
    (line,) = map(json.loads, lines())
    assert "broken" in json.dumps(line["exception"])


@pytest.mark.parametrize("as_json", [False, True])
def test_no_text_of_a_visitor_makes_a_line_of_its_own(as_json, log):
    forged = "name\r\n00:00:00 [error] forged\x1b[2J\x85\u2028\x00\x7f\u202e"
    lines = log(log_json=as_json)
    logging.getLogger("serving.test").warning("A file called %s", forged)
    try:
        raise ValueError(forged)
    except ValueError:
        logging.getLogger("serving.test").exception("It failed: %s", forged)
    text = "\n".join(lines())
    assert "ValueError" in text
    assert all(sign.isprintable() for sign in text if sign not in "\n\x7f")
    assert not [line for line in text.split("\n") if line.startswith("00:00:00")]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_is_rendered_by_the_thread_that_writes(as_json):
    """What is logged holds no frame, whose variables would stay in memory until it is written."""

    class Picture:
        pass

    def fail():
        picture = Picture()
        pictures.append(weakref.ref(picture))
        raise ValueError("broken")

    pictures, entered, go_on = [], threading.Event(), threading.Event()
    handler = logs.BackgroundHandler([_Slow(entered, go_on)], logs.extractor(as_json), str)
    log = logging.Logger("test")  # noqa: LOG001 of its own, for its handler
    log.addHandler(handler)
    try:
        fail()
    except ValueError:
        log.exception("It failed")
    assert entered.wait(20), "written elsewhere, while this thread goes on"
    gc.collect()
    assert pictures[0]() is None
    go_on.set()
    handler.close()


def test_a_flood_is_dropped_and_counted_and_never_waited_for():
    entered, go_on = threading.Event(), threading.Event()
    slow = _Slow(entered, go_on)
    handler = logs.BackgroundHandler([slow], repr, str, waiting=3)
    log = logging.Logger("test")  # noqa: LOG001 of its own, for its handler
    log.addHandler(handler)
    log.warning("first")
    assert entered.wait(20)
    for number in range(100):
        log.warning("line %d", number)
    go_on.set()
    assert slow.wrote_all.wait(20)
    log.warning("last")
    handler.close()
    assert slow.messages[:4] == ["first", "line 0", "line 1", "line 2"]
    assert slow.messages[-2:] == ["97 lines were dropped: there were more than could be written.", "last"]


class _Slow(logging.Handler):
    """Waits with the first record."""

    def __init__(self, entered, go_on):
        super().__init__()
        self.entered, self.go_on, self.wrote_all, self.messages = entered, go_on, threading.Event(), []

    def emit(self, record):
        self.entered.set()
        self.go_on.wait(20)
        self.messages.append(record.getMessage())
        if len(self.messages) == 4:
            self.wrote_all.set()


def test_a_giant_message_is_cut_without_a_secret_at_the_cut(log, settings):
    key = "never-logged"
    lines = log(operator_key=SecretStr(key))
    logging.getLogger("serving.test").warning("%s%s", "x" * (logs.LONGEST - 4), key * 10)
    (line,) = lines()
    assert len(line) < logs.LONGEST + 100
    assert "never" not in line


def test_what_nobody_caught_is_logged(log):
    lines = log(log_json=True)
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    (line,) = map(json.loads, lines())
    assert (line["level"], line["exception"][0]["exc_type"]) == ("critical", "ZeroDivisionError")


def test_the_log_file_is_its_owners_alone(log, tmp_path):
    lines = log()
    path = tmp_path / "logs" / "serving.log"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert lines() == []


def test_a_log_on_a_full_disk_is_told_once_on_the_terminal(tmp_path, capsys):
    handler = logs.file_handler(tmp_path / "log")
    handler.setStream(Path("/dev/full").open("w")).close()  # noqa: SIM115 the handler closes it
    for number in range(3):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}"}))
    with suppress(OSError):  # what is left in its buffer
        handler.close()
    assert capsys.readouterr().err == f"DEMO_LOG_FILE: {tmp_path / 'log'} can't be written (No space left on device).\n"


def test_a_file_that_can_not_be_written_is_told_in_words(log, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"DEMO_LOG_FILE.*can't be written"):
        log(log_file=tmp_path / "file" / "log")


def test_a_request_keeps_a_good_id_and_gets_one_else():
    assert logs.request_id("a-good-id-0123") == "a-good-id-0123"
    for bad in (None, "", "short", "x" * 65, "with space 123", 'quote"12345', "line\nbreak1"):
        made = logs.request_id(bad)
        assert made != bad
        assert len(made) == 32


@pytest.mark.parametrize("as_json", [False, True])
def test_a_fault_tells_no_secret(as_json, log, settings, served, broken_classifier, seven_png):
    """Every secret there is, held by variables around the fault, is in no line of the log."""
    secrets = {
        name: SecretStr(f"never-logged-{name}")
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr
    }
    assert {"operator_key", "password", "client_key"} <= set(secrets)
    url = "postgresql+psycopg://digits:never-logged-password@127.0.0.1:1/digits?connect_timeout=2"
    exposed = settings.model_copy(update=secrets | {"username": "ann", "history": False})
    lines = log(log_json=as_json)
    address = served(broken_classifier, exposed)
    headers = {"Authorization": "Bearer never-logged-operator_key", "Cookie": "session=never-logged-cookie"}
    answer = httpx.post(f"{address}api/predict", content=seven_png, headers=headers | {"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "fault")
    database = Database(url)
    try:
        with database.engine.begin():
            pass
    except Exception:
        logging.getLogger("serving.test").exception("No database")
    finally:
        database.close()
    text = "\n".join(lines())
    assert "RuntimeError" in text
    assert "No database" in text
    assert "never-logged" not in text
