"""`make space`: the folder it writes is started as a Space starts it, under user 1000, where no code can be written."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import httpx
import pytest
import yaml

from benchmarks.processes import free_ports
from settings import ROOT
from tests.helpers.image import Step, parse

SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
USER = "1000"
PATIENCE = 120.0  # s
AS_USER = [
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
    # To read Python itself, wherever it is installed; nothing else of root's.
    "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--bounding-set=-all,+dac_read_search",
]  # fmt: skip


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space") / "space"
    done = subprocess.run([sys.executable, "-m", "deploy.space", folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def environment(space, state):
    """The variables that its Dockerfile sets, with this machine's places."""
    text = (space / "Dockerfile").read_text()
    pairs = re.findall(r"(\w+)=(\S+)", " ".join(step.text for step in parse(text) if step.keyword == "ENV"))
    return {name: value.replace("/tmp", str(state)) for name, value in pairs}  # noqa: S108


def test_the_front_matter_is_what_a_space_asks_for(space):
    _, front_matter, text = (space / "README.md").read_text().split("---\n", 2)
    fields = yaml.safe_load(front_matter)
    assert (fields["sdk"], fields["app_port"], fields["suggested_hardware"]) == ("docker", 7860, "cpu-basic")
    assert len(fields["short_description"]) <= 60  # the Hub takes no more
    assert text.strip()


def test_what_the_image_needs_is_there_and_nothing_else(space):
    names = {path.name for path in space.iterdir()}
    assert {"Dockerfile", "README.md", "requirements-serving.txt", "demo.py", "models", "serving"} <= names
    assert not names & {"tests", ".git", ".venv", ".env", "data", "mlflow.db"}
    assert [path for path in space.rglob("*") if path.stat().st_size > 10_000_000] == []


def test_a_folder_that_is_there_is_left_alone(space):
    done = subprocess.run([sys.executable, "-m", "deploy.space", space], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, "File exists" in done.stderr) == (1, True)


def test_it_starts_under_user_1000_with_code_that_is_read_only(space, tmp_path):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("starting a program under another user takes root, and setpriv of util-linux")
    subprocess.run(["chmod", "-R", "a-w,a+rX", space], check=True)
    os.chown(tmp_path, int(USER), int(USER))
    (port,) = free_ports(1)
    variables = environment(space, tmp_path) | {
        "DEMO_PORT": str(port), "TMPDIR": str(tmp_path), "HOME": "/nowhere", "PATH": os.environ["PATH"],
        "SYSTEM": "spaces", "SPACE_ID": "someone/digits",
    }  # fmt: skip
    steps = parse((space / "Dockerfile").read_text())
    assert {step.text for step in steps if step.keyword == "USER"} == {USER}
    (command,) = [Step(*("CMD", step.text)).argv for step in steps if step.keyword == "CMD"]
    assert command[0] == "python"
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [*AS_USER, sys.executable, *command[1:]], cwd=space, env=variables, stdout=output, stderr=output
        )
    try:
        url, end, answer = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE, None
        while answer is None and time.monotonic() < end and process.poll() is None:
            try:
                answer = httpx.post(f"{url}/api/predict", content=SEVEN, timeout=30).json()
            except httpx.ConnectError:
                time.sleep(0.3)
        assert answer, (tmp_path / "output").read_text()
        assert answer["label"] == "7"
        assert httpx.get(url, timeout=30).status_code == 200
        status = subprocess.run(["ps", "-o", "uid=", "-p", str(process.pid)], capture_output=True, text=True)
        assert status.stdout.strip() == USER
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
    assert "Traceback" not in (tmp_path / "output").read_text()
