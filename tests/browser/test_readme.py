"""The examples of the README, as they stand there, against a live page."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from settings import ROOT


def example(name, url):
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- example: {name} -->\n+```\w+\n(.*?)```", text, re.DOTALL)
    assert found, f"README.md has no example {name}"
    return found[1].replace("http://127.0.0.1:7860", url.rstrip("/"))


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_with_gradio_client(url):
    label, confidences, verdict, seen, note = run(sys.executable, "-c", example("gradio_client", url)).splitlines()
    assert label == "7"
    assert "'label': '7'" in confidences
    assert verdict == "sure"
    assert seen.endswith(".png")
    assert "Mnist_Best_Model" in note


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_example_with_plain_http(url):
    event, data = run("bash", "-euc", example("http", url)).splitlines()[:2]
    assert event == "event: complete"
    label, words, seen, details, note = json.loads(data.removeprefix("data: "))
    assert label["label"] == "7"
    assert len(label["confidences"]) == 3
    assert (words, details["verdict"]) == ("Sure.", "sure")
    assert seen["url"].startswith(url)
    assert "Mnist_Best_Model" in note
