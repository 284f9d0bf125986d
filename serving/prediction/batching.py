"""From encoded pictures to predictions for the API: worker_pool prepare, a model answers what has gathered at once."""

import asyncio
import collections
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from experiments.inference.litert import CHUNK
from experiments.inference.predictions import Prediction, blank
from serving.core.errors import Refused

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.prediction.worker_pool import WorkerPool

JOB = 16  # pictures of a batch that a reader is handed at a time
CROWD = 16  # questions that are being read; from here on the model waits for more of them,
PAUSE = 0.005  # s: fewer and larger calls of it give a tenth more answers a second


class Batcher:
    """Predictions for any number of requests at a time, in one event loop."""

    def __init__(self, classifiers: "Mapping[str, Classifier]", pool: "WorkerPool") -> None:
        """classifiers: by data set."""
        self._pool, self._reading = pool, 0
        self._models = {name: _Gathering(classifier, self._pause) for name, classifier in classifiers.items()}

    async def one(self, dataset: str, picture: bytes) -> Prediction:
        """Raises Refused if it can't be read."""
        (found,) = await self._several(dataset, [picture], bulk=False)
        if isinstance(found, Refused):
            raise found
        return found

    async def many(self, dataset: str, pictures: Sequence[bytes]) -> list[Prediction | Refused]:
        """An answer for each, in their order."""
        jobs = [pictures[start : start + JOB] for start in range(0, len(pictures), JOB)]
        done = await asyncio.gather(*(self._several(dataset, job, bulk=True) for job in jobs))
        return [found for job in done for found in job]

    def close(self) -> None:
        """End the threads."""
        for model in self._models.values():
            model.close()

    async def _several(self, dataset: str, pictures: Sequence[bytes], bulk: bool) -> list[Prediction | Refused]:
        self._reading += 1
        try:
            read = await self._pool.read(dataset, pictures, bulk)
        finally:
            self._reading -= 1
        model = self._models[dataset]
        images = [each for each in read if isinstance(each, np.ndarray)]
        answers, empty = iter(await asyncio.gather(*map(model.infer, images))), model.blank()
        return [next(answers) if isinstance(each, np.ndarray) else each or empty for each in read]

    def _pause(self) -> float:
        return PAUSE if self._reading > CROWD else 0.0


class _Gathering:
    """One model, asked for all images together that have come while it was answering the last ones."""

    def __init__(self, classifier: "Classifier", pause: Callable[[], float]) -> None:
        """pause: seconds to wait for more images before each call of the model."""
        self._classifier, self._pause = classifier, pause
        self._waiting: collections.deque[tuple[np.ndarray, asyncio.Future[Prediction]]] = collections.deque()
        self._thread = ThreadPoolExecutor(1, "inference")
        self._running: asyncio.Task[None] | None = None

    def blank(self) -> Prediction:
        bundle = self._classifier.bundle
        return blank(bundle.class_names, bundle.version)

    def infer(self, image: np.ndarray) -> "asyncio.Future[Prediction]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Prediction] = loop.create_future()
        self._waiting.append((image, future))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return future

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if pause := self._pause():
                await asyncio.sleep(pause)
            images, futures = zip(
                *(self._waiting.popleft() for _ in range(min(CHUNK, len(self._waiting)))), strict=True
            )
            try:
                found = await loop.run_in_executor(self._thread, self._classifier.predict, np.stack(images))
            except Exception as error:
                for future in futures:
                    _settle(future, error=error)
            else:
                for future, prediction in zip(futures, found, strict=True):
                    _settle(future, prediction)
        self._running = None


def _settle(
    future: "asyncio.Future[Prediction]", value: Prediction | None = None, error: Exception | None = None
) -> None:
    if future.done():  # whoever asked may have left
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)
