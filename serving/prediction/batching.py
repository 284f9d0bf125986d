"""Predictions for page and API: workers prepare the pictures, and the model answers those waiting in one call."""

import asyncio
import collections
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference.litert import CHUNK
from experiments.inference.predictions import Prediction
from experiments.numbers.sheets import SheetReading
from experiments.preprocessing.decoding import pixel_count
from model_loader import Classifier
from serving.core.errors import Refused
from serving.prediction.predict import FileResult, predict_images
from serving.prediction.prepare import Outcome, Sheets, Wanted
from serving.prediction.turns import is_large
from serving.prediction.worker_pool import WorkerPool
from serving.uploads.zips import UploadedFile

BULK = 8  # pictures of a batch in one work item at most; a large one is alone
WINDOW = 8  # work items of one batch that wait at a time
MAX_PIXELS = 2_000_000_000  # of one batch, decoded: about 20 s of work
BUSY = 16  # requests being prepared, above which live answers are skipped, and each call of the model is delayed:
GATHER_S = 0.005  # s; fewer and larger calls give 10 % more answers a second

Expected = Literal["digit", "number", "auto"]
"""What a picture shows: one digit, or also a number, which is read where one digit is not for sure."""


class Batcher:
    """Predictions for any number of concurrent requests, in one event loop."""

    def __init__(self, classifiers: Mapping[str, Classifier], pool: WorkerPool) -> None:
        """classifiers: by data set."""
        self._pool, self._preparing = pool, 0
        self._models = {name: _Gatherer(classifier, self._delay) for name, classifier in classifiers.items()}

    @property
    def is_busy(self) -> bool:
        """Whether so many requests are being prepared that what nobody waits for should not join them."""
        return self._preparing > BUSY

    async def predict_one(self, wanted: Wanted, sheets: Sheets, client: str, expect: Expected = "digit") -> Prediction:
        """Predict one drawing or photo. Raises Refused if it can't be used."""
        ((_, answer),) = await self._predict(wanted, [sheets], client, bulk=False)
        if isinstance(answer, Refused):
            raise answer
        return await self._as_expected(wanted, sheets, client, expect, answer)

    async def predict_many(
        self,
        wanted: Wanted,
        files: Iterable[UploadedFile],
        client: str,
        max_pixels: int = MAX_PIXELS,
        expect: Expected = "digit",
    ) -> list[FileResult]:
        """Return a result for each file, in order; a file that can't be used does not affect the others. files: read
        in a thread, as they are needed. max_pixels: of all, as their headers tell."""
        parts, window = _parts(files, max_pixels), asyncio.Semaphore(WINDOW)
        tasks: list[asyncio.Task[list[FileResult]]] = []
        try:
            while part := await asyncio.to_thread(next, parts, None):
                await window.acquire()
                tasks.append(asyncio.create_task(self._predict_part(wanted, part, client, expect)))
                tasks[-1].add_done_callback(lambda _: window.release())
            return [result for done in await asyncio.gather(*tasks) for result in done]
        finally:
            for task in tasks:
                task.cancel()

    async def _predict_part(
        self, wanted: Wanted, part: Sequence[UploadedFile], client: str, expect: Expected
    ) -> list[FileResult]:
        pictures = [[file.content] for file in part if file.error is None]
        answers = iter(await self._predict(wanted, pictures, client, bulk=True) if pictures else ())
        results = []
        for file in part:
            preview, answer = (b"", file.error) if file.error else next(answers)
            if isinstance(answer, Refused):
                results.append(FileResult(file.name, error=answer))
            else:
                answer = await self._as_expected(wanted, [file.content], client, expect, answer)
                results.append(FileResult(file.name, answer, preview=preview))
        return results

    def close(self) -> None:
        """End the threads."""
        for model in self._models.values():
            model.close()

    async def _predict(
        self, wanted: Wanted, pictures: Sequence[Sheets], client: str, bulk: bool
    ) -> list[tuple[bytes, Prediction | Refused]]:
        """Preview, if one is wanted, and prediction of each picture."""
        self._preparing += 1
        try:
            outcomes = await self._pool.prepare(wanted, pictures, client, bulk)
        finally:
            self._preparing -= 1
        model = self._models[wanted.dataset]
        images = [outcome.image for outcome in outcomes if not isinstance(outcome, Refused)]
        predictions = iter(await asyncio.gather(*map(model.predict, images)))
        return [_answer(outcome, predictions) for outcome in outcomes]

    async def _as_expected(
        self, wanted: Wanted, sheets: Sheets, client: str, expect: Expected, answer: Prediction
    ) -> Prediction:
        """The answer to a picture of one digit, or, where that is not sure, to the number on it."""
        spec, model = SPECS[wanted.dataset], self._models[wanted.dataset]
        if not spec.has_numbers:
            return answer
        reading = SheetReading(answer, spec.class_names, is_one=expect == "digit")
        while reading.cuts:
            (outcome,) = await self._pool.prepare(replace(wanted, preview=0, split=reading.cuts), [sheets], client)
            rows = () if isinstance(outcome, Refused) else outcome.rows
            candidates = (model.predict(image, is_one=False) for image in reading.images(rows))
            reading.add(rows, await asyncio.gather(*candidates))
        return reading.answer

    def _delay(self) -> float:
        return GATHER_S if self.is_busy else 0.0


_Queue = collections.deque[tuple[np.ndarray | None, asyncio.Future[Prediction]]]


class _Gatherer:
    """The queue of one model: images that arrive during a call are predicted together in the next one."""

    def __init__(self, classifier: Classifier, delay: Callable[[], float]) -> None:
        """delay: returns the seconds to wait for more images before a call of the model."""
        self._classifier, self._delay = classifier, delay
        self._ones, self._candidates = _Queue(), _Queue()  # of single digits or photos, and for digits of numbers
        self._thread = ThreadPoolExecutor(1, "inference")
        self._running: asyncio.Task[None] | None = None

    def predict(self, image: np.ndarray | None, is_one: bool = True) -> "asyncio.Future[Prediction]":
        """image: as predict_images takes them; is_one: not one of many candidates for the digits of a number."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Prediction] = loop.create_future()
        (self._ones if is_one else self._candidates).append((image, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return future

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._ones or self._candidates:
            if delay := self._delay():
                await asyncio.sleep(delay)
            chunk = self._next_chunk()
            images = [image for image, _ in chunk]
            try:
                predictions = await loop.run_in_executor(self._thread, predict_images, self._classifier, images)
            except Exception as error:
                for _, future in chunk:
                    if not future.done():  # the client may have left
                        future.set_exception(error)
            else:
                for (_, future), prediction in zip(chunk, predictions, strict=True):
                    if not future.done():
                        future.set_result(prediction)
        self._running = None

    def _next_chunk(self) -> list[tuple[np.ndarray | None, asyncio.Future[Prediction]]]:
        """What is predicted next: single images first, so that none waits for a page, which goes on all the same."""
        ones = min(len(self._ones), CHUNK - min(len(self._candidates), CHUNK // 4))
        chunk = [self._ones.popleft() for _ in range(ones)]
        return chunk + [self._candidates.popleft() for _ in range(min(CHUNK - ones, len(self._candidates)))]


def _answer(outcome: Outcome, predictions: Iterator[Prediction]) -> tuple[bytes, Prediction | Refused]:
    if isinstance(outcome, Refused):
        return b"", outcome
    prediction = next(predictions)
    return outcome.preview, replace(prediction, box=outcome.box) if outcome.box else prediction


def _parts(files: Iterable[UploadedFile], max_pixels: int) -> Iterator[list[UploadedFile]]:
    """Yield files in parts for one work item each: small ones together, a large one alone."""
    message = f"The pictures before this one have {max_pixels:,} pixels already."
    too_many = Refused(413, "too_large", message, "Send the rest in another batch.")
    part, left = list[UploadedFile](), max_pixels
    for file in files:
        next_file = UploadedFile(file.name, error=too_many) if left <= 0 and file.error is None else file
        left -= pixel_count(next_file.content)
        if part and (len(part) == BULK or is_large([[each.content for each in (*part, next_file)]])):
            yield part
            part = []
        part.append(next_file)
    if part:
        yield part
