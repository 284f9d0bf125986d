"""Processes with every secret set that fail in every way: none of their output, log or answers tells one."""

import json
import re
import subprocess
import sys
import time

import httpx
import pytest

from benchmarks.processes import Server, free_ports
from settings import ROOT

SECRET = "never-told"  # noqa: S105 that is what is looked for
NAMES = ("DEMO_OPERATOR_KEY", "DEMO_PASSWORD", "DEMO_CLIENT_KEY")
NAMES += ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY")
SECRETS = {name: f"{SECRET}-{name.lower()}-\"quoted\" & 'é'" for name in NAMES} | {
    "DEMO_USERNAME": "ann",
    "MLFLOW_TRACKING_USERNAME": "ann",
    "DATABASE_URL": f"postgresql+psycopg://ann:{SECRET}-database@127.0.0.1:1/digits?connect_timeout=2",
    "MLFLOW_TRACKING_URI": f"http://ann:{SECRET}-mlflow@127.0.0.1:1",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
}
FAILING = """
import asyncio, logging, os, sys, threading, traceback, urllib.parse, warnings
from serving.core import logs
from settings import load

settings = load(None)
logs.configure(settings)
told = repr([os.environ[name] for name in sys.argv[1:]])
told += urllib.parse.quote(told) + settings.operator_key.get_secret_value()
log = logging.getLogger("serving.test")


def fail():
    key = told  # a variable beside the fault
    raise RuntimeError(f"marked {key}")


async def forget():
    asyncio.create_task(asyncio.to_thread(fail))
    await asyncio.sleep(0.2)
    asyncio.get_running_loop().call_exception_handler({"message": f"marked {told}"})


log.error("marked %s", told)
warnings.warn(f"marked {told}")
print("marked", told)
try:
    fail()
except RuntimeError:
    log.exception("marked")
    traceback.print_exc()
asyncio.run(forget())
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def environment(tmp_path, as_json):
    files = {"DEMO_ARTIFACT_DIR": tmp_path / "state", "DEMO_LOG_FILE": tmp_path / "log", "GRADIO_TEMP_DIR": tmp_path}
    return SECRETS | {name: str(path) for name, path in files.items()} | {"DEMO_LOG_JSON": str(as_json).lower()}


@pytest.mark.parametrize("as_json", [False, True])
def test_no_way_to_fail_tells_a_secret(as_json, tmp_path):
    server_environment = environment(tmp_path, as_json)
    done = subprocess.run(
        [sys.executable, "-c", FAILING, *SECRETS], cwd=ROOT, env=server_environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    log = (tmp_path / "log").read_text()
    assert done.stderr.count("RuntimeError") >= 4, "logged, printed, of a thread, of the program"
    assert log.count("RuntimeError") >= 3, "what was waiting at the end is written"
    assert "marked" in done.stdout
    assert SECRET not in done.stdout + done.stderr + log
    if as_json:
        assert all(json.loads(line)["level"] for line in log.splitlines())


@pytest.mark.parametrize("as_json", [False, True])
def test_a_page_that_fails_tells_no_secret(as_json, tmp_path):
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    server = Server(
        [sys.executable, "demo.py", "--port", str(port)], f"{url}/api/ready", environment(tmp_path, as_json)
    )
    try:
        told = ask_everything(url)
        server.process.terminate()
        server.process.wait(30)
        printed = server.printed()
    finally:
        server.stop()
    log = (tmp_path / "log").read_text()
    assert "The history can't be opened" in log
    assert SECRET not in printed + log
    assert SECRET not in told
    where = re.findall(r"127\.0\.0\.1:1\b", told)  # the page's own port has more digits
    assert not where, "where the database and MLflow are is for the log alone"


def ask_everything(url):
    """What a visitor is told, by answers and headers."""
    key = SECRETS["DEMO_OPERATOR_KEY"]
    login, told = ("ann", SECRETS["DEMO_PASSWORD"]), []
    headers = {"X-API-Key": key.encode(), "Cookie": f"session={SECRET}"}
    with httpx.Client(base_url=url, timeout=60) as client:
        client.post("/login", data={"username": login[0], "password": login[1]})
        picture = (ROOT / "docs" / "seven.png").read_bytes()
        answer = client.post("/api/predict", content=picture, auth=login, headers={"Content-Type": "image/png"}).json()
        correction = {"id": answer["id"], "label": "7"}
        told.append(client.post("/api/feedback", json=correction, auth=login))
        for path in ("/", "/config", "/docs", "/api/model", "/api/health", "/api/stats", "/api/history", "/metrics"):
            told.append(client.get(path, auth=login))
            told.append(client.get(path, params={"key": key}, headers=headers))
        told.append(client.post("/gradio_api/call/predict", json={"data": [5]}))
        told.append(client.get("/api/history", params={"limit": key}, auth=login))
    time.sleep(1)
    return "\n".join(f"{response.headers} {response.text}" for response in told)
