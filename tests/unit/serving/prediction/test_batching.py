"""Images of many requests go to the model together; nobody waits where few ask."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.inference.litert import CHUNK
from serving.core.errors import Refused
from serving.prediction.batching import BULK, BUSY, WINDOW, Batcher
from serving.prediction.prepare import Prepared, Wanted
from serving.uploads.zips import UploadedFile
from tests.helpers.pictures import png, png_of_size

DIGIT = Wanted("mnist")
ENCRYPTED = Refused(400, "bad_entry", "It is encrypted.")


class WorkerPool:
    """Each picture is prepared a little later than the one before."""

    def __init__(self):
        self.turn, self.asked = 0, []

    async def prepare(self, _wanted, pictures, client, bulk):
        self.turn += 1
        await asyncio.sleep(0.001 * self.turn)
        self.asked.append((client, bulk, len(pictures)))
        return [Prepared(np.full((28, 28, 1), sheets[0][0], np.uint8), b"preview") for sheets in pictures]


class Answer(int):
    """A number that serves as a sure prediction."""

    verdict = "sure"


class Classifier:
    """Answers with the first pixel of an image, and records the number of images in each call."""

    bundle = SimpleNamespace(class_names=("0", "1"), version="1")

    def __init__(self):
        self.calls = []

    def predict(self, images):
        if images.max() == 255:
            raise RuntimeError("the model is broken")
        self.calls.append(len(images))
        return [Answer(first) for first in images[:, 0, 0, 0].tolist()]


def predict_at_once(count):
    """The answers to `count` requests at once, and the number of images in each call of the model."""
    classifier = Classifier()

    async def run():
        batcher = Batcher({"mnist": classifier}, WorkerPool())
        answers = await asyncio.gather(*(batcher.predict_one(DIGIT, [bytes([number])], "a") for number in range(count)))
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


def test_one_digit_waits_for_no_page_and_the_page_goes_on_all_the_same():
    async def run():
        batcher, done = Batcher({"mnist": Classifier()}, WorkerPool()), []
        model = batcher._models["mnist"]
        page = [model.predict(np.full((28, 28, 1), 1, np.uint8), is_one=False) for _ in range(10 * CHUNK)]
        crowd = [model.predict(np.full((28, 28, 1), 2, np.uint8)) for _ in range(2 * CHUNK)]
        for future in (*page, *crowd):
            future.add_done_callback(lambda future: done.append(future.result()))
        await asyncio.gather(*page, *crowd)
        batcher.close()
        return done

    done = asyncio.run(run())
    last = max(place for place, answer in enumerate(done) if answer == 2)
    assert 0 < done[:last].count(1) <= CHUNK


def test_an_error_of_the_model_reaches_who_asked():
    async def run():
        batcher = Batcher({"mnist": Classifier()}, WorkerPool())
        with pytest.raises(RuntimeError, match="broken"):
            await batcher.predict_one(DIGIT, [b"\xff"], "a")
        assert await batcher.predict_one(DIGIT, [b"\x07"], "a") == 7
        batcher.close()

    asyncio.run(run())


def predict_files(files, **options):
    """The results of a batch, and the items that its pictures were prepared in."""
    pool = WorkerPool()

    async def run():
        batcher = Batcher({"mnist": Classifier()}, pool)
        results = await batcher.predict_many(DIGIT, files, "a", **options)
        batcher.close()
        return results

    return asyncio.run(run()), pool.asked


def test_a_batch_has_a_result_for_each_file_in_order_and_errors_stay_where_they_are():
    files = [UploadedFile(str(number), bytes([number])) for number in range(3 * BULK)]
    files[5] = UploadedFile("5", error=ENCRYPTED)
    results, asked = predict_files(files)
    assert [result.name for result in results] == [file.name for file in files]
    assert [result.prediction for result in results] == [
        None if number == 5 else number for number in range(3 * BULK)
    ]  # fmt: skip
    assert results[5].error is ENCRYPTED
    assert results[6].preview == b"preview"
    assert asked == [("a", True, BULK - 1), ("a", True, BULK), ("a", True, BULK)]
    assert predict_files([]) == ([], [])


def test_a_large_picture_of_a_batch_has_an_item_of_its_own():
    small, large = UploadedFile("small", png(1)), UploadedFile("large", png_of_size(2500, 2500))
    assert [count for *_, count in predict_files([small, small, large, large, small])[1]] == [2, 1, 1, 1]
    medium = UploadedFile("medium", png_of_size(1500, 1500))
    assert [count for *_, count in predict_files([medium, medium, small])[1]] == [1, 2]


def test_pixels_are_bounded_for_the_whole_batch_by_what_headers_tell():
    results, asked = predict_files([UploadedFile(str(number), png(1)) for number in range(4)], max_pixels=3000)
    assert [bool(result.error) for result in results] == [False, False, True, True]
    assert "3,000 pixels" in results[2].error.message
    assert asked == [("a", True, 2)]


def test_files_are_taken_only_as_they_are_needed():
    taken = []

    class StuckPool:
        async def prepare(self, *_):
            await asyncio.sleep(60)

    async def run():
        batcher = Batcher({"mnist": Classifier()}, StuckPool())
        files = (taken.append(number) or UploadedFile("a", png(1)) for number in range(1000))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(batcher.predict_many(DIGIT, files, "a"), 0.5)
        batcher.close()

    asyncio.run(run())
    assert len(taken) <= (WINDOW + 2) * BULK + 1
