"""Classifiers that read a 7 in all ink and a horse in all photos, a page around them, and pictures to send to it."""

import asyncio
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from experiments.data.specs import SPECS
from experiments.inference.bundle import Bundle
from experiments.inference.predictions import Prediction, Thresholds, predictions
from serving.page.page import appearance, build_page
from serving.server import build_app, launch
from serving.services import open_services
from serving.storage.database import Database
from settings import Settings
from tests.helpers.pictures import encoded

PROBABILITIES = np.array([0, 0.06, 0, 0.01, 0, 0, 0, 0.9, 0, 0.03], np.float32)


def pytest_configure(config):
    for message in ("'future.no_silent_downcasting' is deprecated", "The copy keyword is deprecated"):  # Gradio's use
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


@pytest.fixture(scope="session", autouse=True)
def own_uploads(tmp_path_factory):
    """A cache of uploads of this process alone: the tests beside it have theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        yield


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    yield database
    database.close()


class FakeClassifier:
    bundle = Bundle(
        folder=Path("/nowhere"),
        dataset="mnist",
        version="3",
        run_id="run",
        trained_at="2026-11-21",
        data_digest="1" * 64,
        class_names=tuple("0123456789"),
        metrics={"test_accuracy": 0.995},
        sha256={"model.tflite": "a" * 64, "model.keras": "b" * 64},
        input_shape=(28, 28, 1),
    )
    source = "registry"
    since = 1_700_000_000.0

    def describe(self):
        return f"Test_Model version {self.bundle.version}, 99.50 % on the {self.bundle.dataset} test set"

    def predict(self, images):
        assert images.shape[1:] == self.bundle.input_shape
        outputs, bundle = np.tile(PROBABILITIES, (len(images), 1)), self.bundle
        found = predictions(images, outputs, bundle.class_names, Thresholds(), bundle.version)
        return [replace(each, confidence=0.9) for each in found]  # to the last digit, which float32 lacks


class PhotoClassifier(FakeClassifier):
    bundle = replace(
        FakeClassifier.bundle,
        dataset="cifar10",
        version="5",
        class_names=SPECS["cifar10"].class_names,
        metrics={"test_accuracy": 0.905},
        input_shape=(32, 32, 3),
    )


class UnsureClassifier(FakeClassifier):
    def predict(self, images):
        return [Prediction("4", 0.5, PROBABILITIES, "unsure", ("4", "9"), "3", image) for image in images]


class RefusingClassifier(FakeClassifier):
    def predict(self, images):
        return [Prediction("", 0.0, PROBABILITIES, "rejected", (), "3", image) for image in images]


class BrokenClassifier(FakeClassifier):
    def predict(self, _images):
        raise RuntimeError("/home/someone/model.tflite is gone")


# Test processes side by side would otherwise take a port from each other between looking and listening.
FIRST_PORT = 17900 + 200 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def classifier():
    return FakeClassifier()


@pytest.fixture(scope="session")
def photo_classifier():
    return PhotoClassifier()


@pytest.fixture(scope="session")
def unsure_classifier():
    return UnsureClassifier()


@pytest.fixture(scope="session")
def refusing_classifier():
    return RefusingClassifier()


@pytest.fixture(scope="session")
def broken_classifier():
    return BrokenClassifier()


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifacts")
    places = {"data_dir": folder, "artifact_dir": folder, "mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.db'}"}
    rates = {"rate_limit_login": "60000/minute"}  # for tests that send one wrong key after another
    return Settings(_env_file=None, host="127.0.0.1", port=FIRST_PORT, workers=0, **places, **rates)


@pytest.fixture(scope="session")
def build():
    """A page around services."""

    def build(services, notice=str):
        return in_a_loop(build_page, services, notice)

    return build


@pytest.fixture(scope="session")
def opened():
    """Services around a classifier, of digits, and those of other data sets."""
    everything = []

    def opened(classifier, settings, *others):
        classifiers = {each.bundle.dataset: each for each in (classifier, *others)}
        everything.append(open_services(classifiers, settings))
        return everything[-1]

    yield opened
    for services in everything:
        services.close()


@pytest.fixture(scope="session")
def services(opened, classifier, settings, photo_classifier):
    return opened(classifier, settings, photo_classifier)


@pytest.fixture(scope="session")
def operator_keys():
    """By the address of a page that is served."""
    return {}


@pytest.fixture(scope="session")
def served(build, opened, operator_keys):
    """Puts a page with the classifier on the network; gives its address."""
    pages = []

    def served(classifier, settings, *others):
        services = opened(classifier, settings, *others)
        pages.append(build(services))
        address = in_a_loop(launch, pages[-1], services, appearance())
        operator_keys[address] = services.access.credentials.key.text
        return address

    yield served
    for page in pages:
        page.close(verbose=False)


def in_a_loop(function, *arguments):
    """Where no event loop is running Gradio makes one for each Blocks and never closes it."""

    async def call():
        return function(*arguments)

    return asyncio.run(call())


@pytest.fixture(scope="session")
def url(served, classifier, settings, photo_classifier):
    return served(classifier, settings, photo_classifier)


@pytest.fixture(scope="session")
def seven():
    """uint8 [100, 100, 4] RGBA: a black 7 on nothing."""
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[20:28, 30:70, 3] = pixels[20:80, 62:70, 3] = 255
    return pixels


@pytest.fixture(scope="session")
def seven_png(seven):
    return encoded(seven)


@pytest.fixture(scope="session")
def photo_png():
    """80 px wide and 60 high: red above, blue below."""
    pixels = np.full((60, 80, 3), (200, 30, 30), np.uint8)
    pixels[30:] = (30, 30, 200)
    return encoded(pixels)


@pytest.fixture(scope="session")
def sheet_png():
    return encoded(np.full((100, 100, 3), 255, np.uint8))


@pytest.fixture
def api(services):
    """Asks the API without a network; `around` are other services than the usual."""
    with ExitStack() as stack:

        def api(around=services, base_url="http://127.0.0.1:7860"):
            return stack.enter_context(TestClient(build_app(around), base_url))

        yield api


@pytest.fixture
def operator(api, services):
    """Likewise with the operator's key."""

    def operator(around=services):
        client = api(around)
        client.headers["X-API-Key"] = around.access.credentials.key.text
        return client

    return operator
