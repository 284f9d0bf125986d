"""The same pictures of each data set get the same answers by page endpoint, raw body, multipart, JSON and zip."""

import asyncio
import base64
import io
import time

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

import model_loader
from benchmarks import drawings
from serving.page.page import appearance, build_page
from serving.prediction.predict import predict_images
from serving.prediction.prepare import Wanted, prepare_picture
from serving.server import launch
from serving.services import open_services
from settings import ROOT, Settings
from tests.helpers.pictures import zipped
from tests.helpers.tab_events import component_id, trigger, upload

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
    """The answers without a server and its workers."""
    images = [prepare_picture(Wanted(dataset), [picture]).image for picture in pictures]
    return predict_images(services.classifier(dataset), images)


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
    with httpx.Client(base_url=url, timeout=180, params={"dataset": dataset}) as http:
        yield http


def check(readings, expected):
    """readings: the JSON of answers, or the details that the page has of them."""
    assert [(reading["verdict"], reading["label"] or "") for reading in readings] == [
        (prediction.verdict, prediction.label) for prediction in expected
    ]
    confidences = [prediction.confidence for prediction in expected]
    assert [reading["confidence"] for reading in readings] == pytest.approx(confidences, abs=1e-6)


def test_the_answers_differ(dataset, expected):
    assert len(expected) == COUNT
    sure = {prediction.label for prediction in expected if prediction.verdict == "sure"}
    labels = {prediction.label for prediction in expected}
    assert sure == set("0123456789") if dataset == "mnist" else len(labels) > 3


def test_a_raw_body(http, pictures, expected):
    check([http.post("/api/predict", content=picture, headers=PNG).json() for picture in pictures], expected)


def test_a_multipart_body(http, pictures, expected):
    check([http.post("/api/predict", files={"image": picture}).json() for picture in pictures], expected)


def test_json(http, pictures, expected):
    bodies = [{"image": base64.b64encode(picture).decode()} for picture in pictures]
    check([http.post("/api/predict", json=body).json() for body in bodies], expected)


def zipped_pictures(pictures):
    return zipped({f"{number:02}.png": picture for number, picture in enumerate(pictures)})


def test_a_zip_and_a_multipart_batch(http, pictures, expected):
    whole = http.post(
        "/api/predict/batch", content=zipped_pictures(pictures), headers={"Content-Type": "application/zip"}
    )
    parts = http.post("/api/predict/batch", files=[("images", picture) for picture in pictures])
    for reply in (whole, parts):
        check([result["reading"] for result in reply.json()["results"]], expected)


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
    check([job.result()[3] for job in jobs], expected)


def test_the_pages_batch(url, dataset, pictures, expected):
    files = [upload(url, "pictures.zip", zipped_pictures(pictures))]
    *_, table = trigger(url, component_id(url, "button", value="Read all"), "click", [dataset, files])
    assert [row[1:4] for row in table["value"]["data"]] == [
        [prediction.label, f"{prediction.confidence:.4f}", prediction.verdict] for prediction in expected
    ]
