"""The same pictures of each data set down every way: page endpoint, raw body, multipart, JSON and zip. They get
the same answers."""

import asyncio
import base64
import io
import time
import zipfile

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

import model_loader
from benchmarks import drawings
from serving.page.page import appearance, build_page
from serving.prediction.predict import predict_one
from serving.server import launch
from serving.services import open_services
from settings import ROOT, Settings

COUNT, SMALL = 60, 20
ENDPOINTS = {"mnist": "/predict", "cifar10": "/predict_photo"}
PNG = {"Content-Type": "image/png"}


def drawn():
    sheets = [drawings.png(sheet, "RGBA") for sheet in drawings.sheets(COUNT - SMALL, seed=5)]
    return sheets + drawings.small(SMALL, seed=6)


def photographed():
    """Soft pictures of many colours and shapes, in three formats."""
    rng, pictures = np.random.default_rng(5), []
    for number in range(COUNT):
        coarse = rng.integers(0, 256, (*rng.integers(2, 12, 2), 3), np.uint8)
        buffer = io.BytesIO()
        scene = Image.fromarray(coarse).resize(tuple(rng.integers(40, 400, 2).tolist()), Image.Resampling.BICUBIC)
        scene.save(buffer, ("PNG", "JPEG", "WEBP")[number % 3])
        pictures.append(buffer.getvalue())
    return pictures


PICTURES = {"mnist": drawn, "cifar10": photographed}


@pytest.fixture(scope="module", params=PICTURES)
def dataset(request):
    return request.param


@pytest.fixture(scope="module")
def pictures(dataset):
    return PICTURES[dataset]()


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts")
    settings = Settings(_env_file=None, models_dir=ROOT / "models", artifact_dir=folder, port=17880, rate_limit="off")
    services = open_services(model_loader.load_all(settings), settings)
    yield services
    services.close()


@pytest.fixture(scope="module")
def expected(services, dataset, pictures):
    """[(verdict, label), ...] as the function that all of them call answers."""
    found = [predict_one(services.classifier(dataset), [picture]) for picture in pictures]
    return [(each.verdict, each.label) for each in found]


@pytest.fixture(scope="module")
def url(services):
    async def serve():  # where no loop runs Gradio makes one for each Blocks and never closes it
        page = build_page(services, str)
        return page, launch(page, services, appearance())

    page, url = asyncio.run(serve())
    deadline = time.monotonic() + 60
    while len(services.worker_pool.processes) < services.settings.workers and time.monotonic() < deadline:
        time.sleep(0.05)
    yield url
    page.close(verbose=False)


@pytest.fixture(scope="module")
def http(url, dataset):
    with httpx.Client(base_url=url, timeout=60, params={"dataset": dataset}) as http:
        yield http


def said(reply):
    body = reply.json()
    return body["verdict"], body["label"] or ""


def test_the_answers_differ(dataset, expected):
    assert len(expected) == COUNT
    sure = {label for verdict, label in expected if verdict == "sure"}
    assert sure == set("0123456789") if dataset == "mnist" else len({label for _, label in expected}) > 3


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


def test_the_pages_endpoint(url, dataset, pictures, expected, tmp_path):
    client = Client(url, verbose=False, download_files=str(tmp_path))
    jobs = []
    for number, picture in enumerate(pictures):
        file = tmp_path / f"{number}.png"
        file.write_bytes(picture)
        sent = handle_file(str(file))
        if dataset == "mnist":
            sent = {"background": None, "layers": [], "composite": sent}
        jobs.append(client.submit(sent, api_name=ENDPOINTS[dataset]))  # one does not wait for the other
    found = [job.result()[3] for job in jobs]
    assert [(details["verdict"], details["label"]) for details in found] == expected
