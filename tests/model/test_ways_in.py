"""The same 200 pictures down every way: page endpoint, raw body, multipart, JSON and zip. They get the same answers."""

import asyncio
import base64
import io
import time
import zipfile

import httpx
import pytest
from gradio_client import Client, handle_file

import model_loader
from benchmarks import drawings
from serving.answer import answer
from serving.draw import SENTENCES
from serving.launch import launch
from serving.page import build_page, look
from serving.services import open_services
from settings import ROOT, Settings

COUNT = 200
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def pictures():
    sheets = [drawings.png(sheet, "RGBA") for sheet in drawings.sheets(COUNT - 60, seed=5)]
    return sheets + drawings.small(60, seed=6)


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts")
    settings = Settings(
        _env_file=None, models_dir=ROOT / "models", artifact_dir=folder, demo_port=17880, rate_limit="off"
    )
    services = open_services({"mnist": model_loader.load("mnist", settings)}, settings)
    yield services
    services.close()


@pytest.fixture(scope="module")
def expected(services, pictures):
    """[(verdict, label), ...] as the function that all of them call answers."""
    found = [answer(services.classifier("mnist"), [picture], SENTENCES).prediction for picture in pictures]
    return [(each.verdict, each.label) for each in found]


@pytest.fixture(scope="module")
def url(services):
    async def serve():  # where no loop runs Gradio makes one for each Blocks and never closes it
        page = build_page(services, str)
        return page, launch(page, services, look())

    page, url = asyncio.run(serve())
    deadline = time.monotonic() + 60
    while len(services.readers.processes) < services.settings.workers and time.monotonic() < deadline:
        time.sleep(0.05)
    yield url
    page.close(verbose=False)


@pytest.fixture(scope="module")
def http(url):
    with httpx.Client(base_url=url, timeout=60) as http:
        yield http


def said(reply):
    body = reply.json()
    return body["verdict"], body["label"] or ""


def test_there_are_sure_ones_of_every_digit(expected):
    assert len(expected) == COUNT
    assert {label for verdict, label in expected if verdict == "sure"} == set("0123456789")


def test_a_raw_body(http, pictures, expected):
    assert [said(http.post("/api/predict", content=each, headers=PNG)) for each in pictures] == expected


def test_a_multipart_body(http, pictures, expected):
    assert [said(http.post("/api/predict", files={"image": each})) for each in pictures] == expected


def test_json(http, pictures, expected):
    bodies = [{"image": base64.b64encode(each).decode()} for each in pictures]
    assert [said(http.post("/api/predict", json=body)) for body in bodies] == expected


def test_a_zip_and_a_multipart_batch(http, pictures, expected):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, picture in enumerate(pictures):
            archive.writestr(f"{number}.png", picture)
    zipped = http.post("/api/predict/batch", content=buffer.getvalue(), headers={"Content-Type": "application/zip"})
    several = http.post("/api/predict/batch", files=[("images", picture) for picture in pictures])
    for reply in (zipped, several):
        readings = [result["reading"] for result in reply.json()["results"]]
        assert [(reading["verdict"], reading["label"] or "") for reading in readings] == expected


def test_the_pages_endpoint(url, pictures, expected, tmp_path):
    client = Client(url, verbose=False, download_files=str(tmp_path))
    found = []
    for number, picture in enumerate(pictures):
        file = tmp_path / f"{number}.png"
        file.write_bytes(picture)
        drawing = {"background": None, "layers": [], "composite": handle_file(str(file))}
        details = client.predict(drawing, api_name="/predict")[3]
        found.append((details["verdict"], details["label"]))
    assert found == expected
