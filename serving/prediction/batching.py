"""Predictions for the API: decoding workers prepare the pictures, and the model answers those waiting in one call."""

import asyncio
import collections
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from experiments.inference.litert import CHUNK
from experiments.inference.predictions import Prediction
from model_loader import Classifier
from serving.core.errors import Refused
from serving.prediction.predict import FileResult, predict_images
from serving.prediction.worker_pool import WorkerPool
from serving.uploads.zips import UploadedFile

BULK = 16  # pictures of a batch in one work item
BUSY = 16  # requests being prepared, above which each call of the model is delayed:
GATHER_S = 0.005  # s; fewer and larger calls give 10 % more answers a second


class Batcher:
    """Predictions for any number of concurrent requests, in one event loop."""

    def __init__(self, classifiers: Mapping[str, Classifier], pool: WorkerPool) -> None:
        """classifiers: by data set."""
        self._pool, self._preparing = pool, 0
        self._models = {name: _Gatherer(classifier, self._delay) for name, classifier in classifiers.items()}

    async def predict_one(self, dataset: str, picture: bytes) -> Prediction:
        """Predict one encoded picture. Raises Refused if it can't be used."""
        (answer,) = await self._predict(dataset, [picture], bulk=False)
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def predict_many(self, dataset: str, files: Sequence[UploadedFile]) -> list[FileResult]:
        """Return a result for each file, in order."""
        pictures = [file.content for file in files if file.error is None]
        parts = [pictures[start : start + BULK] for start in range(0, len(pictures), BULK)]
        done = await asyncio.gather(*(self._predict(dataset, part, bulk=True) for part in parts))
        answers = (answer for part in done for answer in part)
        results = [(file.name, file.error or next(answers)) for file in files]
        return [
            FileResult(name, error=answer) if isinstance(answer, Refused) else FileResult(name, answer)
            for name, answer in results
        ]

    def close(self) -> None:
        """End the threads."""
        for model in self._models.values():
            model.close()

    async def _predict(self, dataset: str, pictures: Sequence[bytes], bulk: bool) -> list[Prediction | Refused]:
        self._preparing += 1
        try:
            outcomes = await self._pool.prepare(dataset, pictures, bulk)
        finally:
            self._preparing -= 1
        model = self._models[dataset]
        images = [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
        predictions = iter(await asyncio.gather(*map(model.predict, images)))
        return [outcome if isinstance(outcome, Refused) else next(predictions) for outcome in outcomes]

    def _delay(self) -> float:
        return GATHER_S if self._preparing > BUSY else 0.0


class _Gatherer:
    """The queue of one model: images that arrive during a call are predicted together in the next one."""

    def __init__(self, classifier: Classifier, delay: Callable[[], float]) -> None:
        """delay: returns the seconds to wait for more images before a call of the model."""
        self._classifier, self._delay = classifier, delay
        self._queue: collections.deque[tuple[np.ndarray | None, asyncio.Future[Prediction]]] = collections.deque()
        self._thread = ThreadPoolExecutor(1, "inference")
        self._running: asyncio.Task[None] | None = None

    def predict(self, image: np.ndarray | None) -> "asyncio.Future[Prediction]":
        """image: as predict_images takes them."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Prediction] = loop.create_future()
        self._queue.append((image, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return future

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            if delay := self._delay():
                await asyncio.sleep(delay)
            chunk = [self._queue.popleft() for _ in range(min(CHUNK, len(self._queue)))]
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
