"""The Dockerfile's steps, run for real: the page answers from the image as its ordinary user."""

import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image as Picture
from PIL import ImageDraw

from benchmarks.processes import free_ports
from settings import ROOT
from tests.helpers.image import Image, Step


@pytest.fixture(scope="module", params=["", "serving"], ids=["everything", "serving"])
def target(request):
    return request.param


@pytest.fixture(scope="module")
def image(target):
    if os.getuid() != 0 or not shutil.which("unshare"):
        pytest.skip("running the Dockerfile's steps takes root on Linux, who may mount an overlay")
    try:
        image = Image(ROOT, target)
    except OSError as error:
        pytest.skip(f"this machine mounts no overlay to run the Dockerfile's steps in: {error}")
    try:
        image.build()
        yield image
    finally:
        image.remove()


@pytest.fixture(scope="module")
def container(image):
    """The image's CMD on a free port, healthy: its address and process."""
    image.env["DEMO_PORT"] = str(*free_ports(1))
    health = Step(*re.search(r"(CMD) (.*)", image.step("HEALTHCHECK").text).groups())
    process = subprocess.Popen(image.command(image.step("CMD").argv))
    try:
        for _ in range(100):
            if subprocess.run(image.command(health.argv), capture_output=True).returncode == 0:
                break
            assert process.poll() is None, "the page ended by itself"
            time.sleep(0.3)
        else:
            pytest.fail("HEALTHCHECK never succeeded")
        yield f"http://127.0.0.1:{image.env['DEMO_PORT']}", process
    finally:
        process.kill()
        process.wait()


def owner(process):
    status = subprocess.run(["ps", "-o", "uid=", "-p", str(process.pid)], capture_output=True, text=True)
    return int(status.stdout)


def test_the_image_holds_the_project_and_none_of_its_surroundings(image):
    listing = subprocess.run(image.command(["ls", "-A"]), capture_output=True, text=True, check=True)
    names = set(listing.stdout.split())
    assert {"demo.py", "model_loader.py", "redaction.py", "settings.py", "experiments", "serving", "models"} <= names
    assert not names & {"tests", ".git", ".venv", ".env", "data", "mlflow.db", "Makefile"}


def test_the_image_has_the_packages_that_it_needs_alone(image, target):
    listing = subprocess.run(
        image.command(["python", "-m", "pip", "list", "--format=freeze"]), capture_output=True, text=True, check=True
    )
    packages = {line.partition("==")[0].lower() for line in listing.stdout.splitlines()}
    training = {"mlflow", "tensorflow", "keras", "matplotlib"}
    assert packages & (training | {"gradio"}) == {"gradio"} | (set() if target == "serving" else training)
    assert not packages & {"pytest", "ruff", "locust", "playwright", "hypothesis"}


def test_the_page_in_the_image_reads_a_drawn_seven(container, tmp_path):
    url, process = container
    assert owner(process) == 10001
    drawing = Picture.fromarray(np.full((400, 400), 255, np.uint8))
    ImageDraw.Draw(drawing).line([(120, 100), (280, 100), (190, 310)], fill=0, width=20, joint="curve")
    drawing.save(tmp_path / "seven.png")
    seven = handle_file(str(tmp_path / "seven.png"))
    answer = Client(url, verbose=False).predict(
        {"background": None, "layers": [], "composite": seven}, api_name="/predict"
    )
    label = next(part for part in answer if isinstance(part, dict) and "label" in part)
    assert label["label"] == "7"


def test_the_running_image_writes_to_its_state_only(image, container):
    write = "touch /state/here && ! touch /app/here 2>/dev/null"
    assert subprocess.run(image.command(["sh", "-c", write])).returncode == 0


def test_stopping_the_container_ends_the_page(container):
    _, process = container
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
