"""The examples of the README and of docs/, as they stand there, against a live page."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import gradio
import pytest
from playwright.sync_api import sync_playwright

from settings import ROOT
from tests.helpers.demo_process import DemoProcess
from tests.helpers.draw_page import FLAGS

# Gradio ships its client for JavaScript within a script of the page, under a name of the build.
ASSETS = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
CLIENT = re.compile(r"\bClient:(\w+),")


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


def test_the_example_with_httpx(url):
    assert run(sys.executable, "-c", example("httpx", url)) == "7 sure\n['7', '7', '7']\n"


def test_the_example_with_javascript(url, chromium):
    imported, _, code = example("javascript", url).partition("\n")
    assert imported == 'import { Client } from "@gradio/client";'
    script = next(path for path in ASSETS.glob("index-*.js") if CLIENT.search(path.read_text()))
    text = script.read_text()
    exposing = f"{text}\nwindow.Client = {CLIENT.search(text)[1]};"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            page, printed = browser.new_page(), []
            page.on("console", lambda message: printed.append(message.text))
            page.route("**/seven.png", lambda route: route.fulfill(path=ROOT / "docs" / "seven.png"))
            page.goto(f"{url}theme.css")  # of the same origin, without the page's own messages
            page.route(f"**/{script.name}", lambda route: route.fulfill(body=exposing, content_type="text/javascript"))
            page.evaluate(f"import('/assets/{script.name}')")
            page.evaluate(f"(async () => {{{code}}})()")
        finally:
            browser.close()
    assert printed == ["7", "sure"]


def test_the_example_with_a_client_of_mcp():
    demo = DemoProcess("--mcp")
    try:
        assert run(sys.executable, "-c", example("mcp", demo.url)) == "['read_drawing', 'read_photo']\n7\n"
    finally:
        assert demo.stop().endswith("Stopped.\nexit status 0\n")
