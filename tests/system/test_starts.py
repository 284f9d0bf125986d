"""demo.py on machines that are set up for other programs, can't be written or have no room."""

import resource
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest

from settings import ROOT
from tests.helpers.demo_process import DemoProcess
from tests.helpers.tab_events import component_id, trigger

SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
KEY = {"X-API-Key": "key of the test"}
PATIENCE = 60.0  # s, for a busy machine
OTHERS = {
    "ALL_PROXY": "socks5://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:port",
    "http_proxy": "://",
    "NO_PROXY": "[::1],*.example",
    "SSL_CERT_FILE": "/proc/nowhere",
    "GRADIO_SERVER_PORT": "abc",
    "GRADIO_SERVER_NAME": "no such host",
    "GRADIO_NUM_PORTS": "x",
    "GRADIO_ROOT_PATH": "digits",
    "GRADIO_MCP_SERVER": "true",
    "WEB_CONCURRENCY": "four",
    "FORWARDED_ALLOW_IPS": "*",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error",
    "MPLBACKEND": "none",
    "LANG": "C",
    "HOME": "/proc/nowhere",
    "TMPDIR": "/proc/nowhere",
    "PORT": "abc",
    "LOG_LEVEL": "loud",
}
"""What other programs may be set up by, all at once."""


@pytest.fixture
def client():
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        yield client


@contextmanager
def page(**variables):
    page = DemoProcess(DEMO_OPERATOR_KEY=KEY["X-API-Key"], **variables)
    try:
        yield page
    finally:
        printed = page.stop()
    assert "Traceback" not in printed, printed
    assert printed.endswith("exit status 0\n"), printed


def predict(client, page, path="api/predict"):
    return client.post(page.url + path, content=SEVEN, headers={"Content-Type": "image/png"}).json()


def correct(client, page):
    """-> status and code of the error, if there is one"""
    body = {"id": predict(client, page)["id"], "label": "7"}
    reply = client.post(f"{page.url}api/feedback", json=body)
    return reply.status_code, reply.json().get("error", {}).get("code")


def upload(client, page):
    name = f"{time.monotonic()}.png"  # another file each time
    reply = client.post(f"{page.url}gradio_api/upload", files={"files": (name, SEVEN + name.encode())})
    return reply.status_code, reply.json()["error"]["code"] if reply.is_error else None


def is_up(client, page):
    return 'dependency_up{name="database"} 1.0' in client.get(f"{page.url}metrics", headers=KEY).text


def test_nothing_that_sets_up_other_programs_keeps_the_page_from_answering(client):
    with page(**OTHERS) as started:
        assert predict(client, started)["label"] == predict(client, started, "digits/api/predict")["label"] == "7"
        assert client.get(started.url).status_code == client.get(f"{started.url}digits/").status_code == 200
        assert upload(client, started) == (200, None)


def test_a_folder_of_any_name_loses_nothing(client, tmp_path):
    folder = tmp_path / "größe ünd 数字 #?%&'\" %20+;@:"
    with page(DEMO_ARTIFACT_DIR=str(folder), GRADIO_TEMP_DIR=str(folder / "cache")) as started:
        assert correct(client, started) == (200, None)
        assert upload(client, started) == (200, None)
    assert (folder / "history.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_without_a_history_nothing_is_written_but_uploads(client, tmp_path):
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "folder")
    places = {"DEMO_ARTIFACT_DIR": nowhere, "MLFLOW_TRACKING_URI": f"sqlite:///{nowhere}/mlflow.db", "HOME": nowhere}
    with page(DEMO_HISTORY="false", **places) as started:
        assert predict(client, started)["label"] == "7"
        assert correct(client, started) == (503, "no_history")


def test_a_disk_without_room_keeps_answers_going_and_is_taken_up_again(client):
    with page() as started:
        assert correct(client, started) == (200, None)
        unlimited = resource.prlimit(started.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(started.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        assert predict(client, started)["label"] == "7"
        status, code = correct(client, started)
        assert (status, code) in ((507, "no_room"), (503, "no_history"))
        assert upload(client, started) == (503, "no_room")
        assert not is_up(client, started)
        resource.prlimit(started.pid, resource.RLIMIT_FSIZE, unlimited)
        end = time.monotonic() + PATIENCE
        while not is_up(client, started):
            assert time.monotonic() < end
            time.sleep(0.2)
        assert correct(client, started) == (200, None)
        assert upload(client, started) == (200, None)


def test_an_mlflow_that_says_nothing_is_told_in_the_experiments_tab_within_five_seconds():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        page(MLFLOW_TRACKING_URI=f"http://127.0.0.1:{silent.getsockname()[1]}", **OTHERS) as started,
    ):
        tab = component_id(started.url, "tabitem", label="Experiments")
        table = component_id(started.url, "html", elem_id="experiments-table")
        status = (
            component_id(started.url, "tabitem", label="Status"),
            component_id(started.url, "html", elem_id="status"),
        )
        trigger(started.url, status[0], "select", [], status[1], key=KEY["X-API-Key"])  # the first event imports much
        asked = time.monotonic()
        answer = trigger(started.url, tab, "select", ["mnist", "accuracy"], table, key=KEY["X-API-Key"])
        assert time.monotonic() - asked < 5
        assert "does not answer" in answer[0]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DEMO_PORT": "abc"}, "DEMO_PORT"),
        ({"DEMO_HOST": "http://127.0.0.1:7860"}, "DEMO_HOST"),
        ({"DEMO_ALLOWED_HOSTS": "a b"}, "DEMO_ALLOWED_HOSTS"),
        ({"DEMO_TRUSTED_PROXIES": "proxy.example"}, "DEMO_TRUSTED_PROXIES"),
        ({"DATABASE_URL": "mysql://db/digits"}, "DATABASE_URL"),
        ({"DEMO_LOG_FILE": str(ROOT)}, "DEMO_LOG_FILE"),
        ({"DEMO_ARTIFACT_DIR": __file__}, "DEMO_ARTIFACT_DIR"),
        ({"DEMO_HOST": "203.0.113.7"}, "DEMO_HOST"),
    ],
)
def test_a_start_that_can_not_be_made_ends_with_the_name_of_the_setting(variables, named, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("DEMO_ARTIFACT_DIR", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = subprocess.run(
        [sys.executable, "demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode > 0
    assert any(named in line for line in ended.stderr.splitlines())
    assert "Traceback" not in ended.stderr
