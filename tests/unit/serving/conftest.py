"""A classifier that reads a 7 in all ink, a page around it, and pictures to send to it."""

import asyncio
import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from experiments.inference import Prediction
from experiments.preprocessing import prepare_drawing
from serving.launch import launch
from serving.page import build_page, look
from settings import Settings

PROBABILITIES = np.array([0, 0.06, 0, 0.01, 0, 0, 0, 0.9, 0, 0.03], np.float32)


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore:'future.no_silent_downcasting' is deprecated")  # Gradio's use


class FakeClassifier:
    bundle = SimpleNamespace(class_names=tuple("0123456789"))

    def describe(self):
        return "Test_Model version 3, 99.50 % on the MNIST test set"

    def classify(self, pixels):
        image = prepare_drawing(pixels)
        if image is None:
            return Prediction("", 0.0, np.zeros(10, np.float32), "blank", (), "3", None)
        return Prediction("7", 0.9, PROBABILITIES, "sure", (), "3", image)


class UnsureClassifier(FakeClassifier):
    def classify(self, pixels):
        return Prediction("4", 0.5, PROBABILITIES, "unsure", ("4", "9"), "3", prepare_drawing(pixels))


class RefusingClassifier(FakeClassifier):
    def classify(self, pixels):
        return Prediction("", 0.0, PROBABILITIES, "not_a_digit", (), "3", prepare_drawing(pixels))


class BrokenClassifier(FakeClassifier):
    def classify(self, _pixels):
        raise RuntimeError("/home/someone/model.tflite is gone")


@pytest.fixture(scope="session")
def classifier():
    return FakeClassifier()


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
def settings():
    return Settings(_env_file=None, demo_host="127.0.0.1", demo_port=17860)


@pytest.fixture(scope="session")
def build():
    def build(classifier, settings, notice=str):
        return in_a_loop(build_page, classifier, settings, notice)

    return build


@pytest.fixture(scope="session")
def served(build):
    """Puts a page with the classifier on the network; gives its address."""
    pages = []

    def served(classifier, settings):
        pages.append(build(classifier, settings))
        return in_a_loop(launch, pages[-1], settings, look())

    yield served
    for page in pages:
        page.close(verbose=False)


def in_a_loop(function, *arguments):
    """Where no event loop is running Gradio makes one for each Blocks and never closes it."""

    async def call():
        return function(*arguments)

    return asyncio.run(call())


@pytest.fixture(scope="session")
def url(served, classifier, settings):
    return served(classifier, settings)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def seven():
    """uint8 [100, 100, 4] RGBA: a black 7 on nothing."""
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[20:28, 30:70, 3] = pixels[20:80, 62:70, 3] = 255
    return pixels


@pytest.fixture(scope="session")
def seven_png(seven):
    return png(seven)


@pytest.fixture(scope="session")
def sheet_png():
    return png(np.full((100, 100, 3), 255, np.uint8))
