"""The examples of the README and of docs/, as they stand there, against a live page."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from settings import ROOT


def example(name, url):
    marked = re.compile(rf"<!-- example: {name} -->\n+```\w+\n(.*?)```", re.DOTALL)
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    examples = {code for path in documents for code in marked.findall(path.read_text())}
    assert len(examples) == 1, f"one example {name}, the same in every document"
    return examples.pop().replace("http://127.0.0.1:7860", url.rstrip("/"))


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_with_gradio_client(url):
    label, confidences, verdict, preprocessed, note = run(
        sys.executable, "-c", example("gradio_client", url)
    ).splitlines()
    assert label == "7"
    assert "'label': '7'" in confidences
    assert verdict == "sure"
    assert preprocessed.endswith(".png")
    assert "Mnist_Best_Model" in note


needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@needs_curl
def test_the_example_with_curl(url):
    answer = json.loads(run("bash", "-euc", example("curl", url)))
    assert (answer["label"], answer["verdict"]) == ("7", "sure")


@needs_curl
def test_the_example_with_plain_http(url):
    event, data = run("bash", "-euc", example("http", url)).splitlines()[:2]
    assert event == "event: complete"
    label, words, preprocessed, details, note = json.loads(data.removeprefix("data: "))
    assert label["label"] == "7"
    assert len(label["confidences"]) == 3
    assert (words, details["verdict"]) == ("Sure.", "sure")
    assert preprocessed["url"].startswith(url)
    assert "Mnist_Best_Model" in note
