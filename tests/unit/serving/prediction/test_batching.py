"""Images of many requests go to the model together; nobody waits where few ask."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from serving.prediction.batching import BUSY, Batcher


class WorkerPool:
    """Each picture is prepared a little later than the one before."""

    def __init__(self):
        self.turn = 0

    async def prepare(self, _dataset, pictures, _bulk):
        self.turn += 1
        await asyncio.sleep(0.001 * self.turn)
        return [np.full((28, 28, 1), picture[0], np.uint8) for picture in pictures]


class Classifier:
    """Answers with the first pixel of an image, and records the number of images in each call."""

    bundle = SimpleNamespace(class_names=("0", "1"), version="1")

    def __init__(self):
        self.calls = []

    def predict(self, images):
        if images.max() == 255:
            raise RuntimeError("the model is broken")
        self.calls.append(len(images))
        return images[:, 0, 0, 0].tolist()


def predict_at_once(count):
    """The answers to `count` requests at once, and the number of images in each call of the model."""
    classifier = Classifier()

    async def run():
        batcher = Batcher({"mnist": classifier}, WorkerPool())
        answers = await asyncio.gather(*(batcher.predict_one("mnist", bytes([number])) for number in range(count)))
        batcher.close()
        return answers

    return asyncio.run(run()), classifier.calls


def test_a_crowd_is_answered_in_few_calls():
    answers, calls = predict_at_once(4 * BUSY)
    assert answers == list(range(4 * BUSY))
    assert sum(calls) == 4 * BUSY
    assert len(calls) < 3 * BUSY


def test_one_alone_is_answered_by_itself():
    assert predict_at_once(1) == ([0], [1])


def test_an_error_of_the_model_reaches_who_asked():
    async def run():
        batcher = Batcher({"mnist": Classifier()}, WorkerPool())
        with pytest.raises(RuntimeError, match="broken"):
            await batcher.predict_one("mnist", b"\xff")
        assert await batcher.predict_one("mnist", b"\x07") == 7
        batcher.close()

    asyncio.run(run())
