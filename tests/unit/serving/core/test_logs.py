import json
import logging

import httpx
import pytest
from pydantic import SecretStr

from serving.core import logs
from serving.storage.database import Database
from settings import Settings


@pytest.fixture
def log(settings, tmp_path):
    """Sets the log up into a file; gives what was logged as lines. The usual log comes back at the end."""
    root, before = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)

    def log(**changes):
        logs.configure(settings.model_copy(update={"log_file": tmp_path / "logs" / "serving.log"} | changes))
        return lambda: (tmp_path / "logs" / "serving.log").read_text().splitlines()

    yield log
    for handler in root.handlers:
        handler.close()
    root.handlers[:], root.level = before
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
