"""Answers of an exported model: images in, predictions out. On LiteRT: serving needs no TensorFlow."""

import os
import queue
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from experiments.second_look import Model, look

if TYPE_CHECKING:
    from experiments.data.specs import DatasetSpec

CHUNK = 64
"""Images per invocation. A quarter faster per image than one by one, and more only takes memory."""


class ModelError(RuntimeError):
    """A model can't be used. Worded for the person who runs the project."""


Verdict = Literal["sure", "unsure", "not_a_digit", "blank"]
"""Whether there is an answer: yes; one of two; no, it shows none of the classes; no, it shows nothing at all."""


@dataclass(frozen=True)
class Thresholds:
    """Where verdicts part: sure from this probability of the label up; refused above this probability of none."""

    sure: float = 0.0
    refuse: float = 1.0


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of one image. Refused and blank ones have label "" and no confidence in it; a blank has
    zeros for probabilities and no image."""

    label: str
    confidence: float  # probability of the label, 0 to 1
    probabilities: np.ndarray  # float32 [K], in the order of the class names; what is missing to 1 is none of them
    verdict: Verdict
    candidates: tuple[str, ...]  # the two most likely labels of an unsure answer, else none
    model_version: str
    image: np.ndarray | None  # uint8 [H, W, C], what the model saw


class LiteRTModel:
    """A LiteRT file as a function of images, safe to call from any number of threads.

    Check the file's SHA-256 first (bundle.read does): LiteRT can end the process over a damaged one. Raises
    ModelError when the file is no model that takes raw images, N of them at a time.
    """

    def __init__(self, path: Path) -> None:
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        try:
            content = path.read_bytes()
            workers = [_Worker(content) for _ in range(min(4, os.cpu_count() or 1))]
        except OSError as error:
            raise ModelError(f"{path} can't be read ({error.strerror}).") from error
        except (ValueError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise ModelError(f"{path} is not a LiteRT model of images: {reason}") from error
        self.input_shape, self.outputs = workers[0].input_shape, workers[0].outputs
        for worker in workers:
            self._idle.put(worker)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """images: uint8 [N, H, W, C]. Returns float32 [N, K]. Raises ValueError for anything else."""
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != self.input_shape:
            wanted = ", ".join(map(str, self.input_shape))
            raise ValueError(f"Images must be uint8 [N, {wanted}], not {images.dtype} {list(images.shape)}.")
        results = np.empty((len(images), self.outputs), np.float32)
        worker = self._idle.get()
        try:
            for start in range(0, len(images), CHUNK):
                results[start : start + CHUNK] = worker.run(images[start : start + CHUNK])
        finally:
            self._idle.put(worker)
        return results


def predict(
    model: Model, images: np.ndarray, spec: "DatasetSpec", thresholds: Thresholds, version: str = ""
) -> list[Prediction]:
    """What people are told of images, uint8 [N, H, W, C], the doubtful ones looked at again."""
    return predictions(images, look(model, images, spec.views), spec.class_names, thresholds, version)


def predictions(
    images: np.ndarray, outputs: np.ndarray, class_names: tuple[str, ...], thresholds: Thresholds, version: str
) -> list[Prediction]:
    """images: uint8 [N, H, W, C]; outputs: float32 [N, >= K] of the model; the first K are the classes."""
    probabilities = outputs[:, : len(class_names)]
    none = outputs[:, len(class_names) :].sum(axis=1)
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    answers = []
    for row, refused, (best, second), image in zip(
        probabilities, none > thresholds.refuse, ranked.tolist(), images, strict=True
    ):
        sure = not refused and row[best] >= thresholds.sure
        answers.append(
            Prediction(
                label="" if refused else class_names[best],
                confidence=0.0 if refused else float(row[best]),
                probabilities=row,
                verdict="not_a_digit" if refused else "sure" if sure else "unsure",
                candidates=() if refused or sure else (class_names[best], class_names[second]),
                model_version=version,
                image=image,
            )
        )
    return answers


def blank(class_names: tuple[str, ...], version: str) -> Prediction:
    """The answer to an empty canvas."""
    return Prediction("", 0.0, np.zeros(len(class_names), np.float32), "blank", (), version, None)


class _Worker:
    """One interpreter, for one thread at a time, warmed up: its first answer is as fast as the next."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(f"it has {len(inputs)} inputs and {len(outputs)} outputs, not one of each")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        batch = inputs[0]["shape_signature"].tolist()
        if inputs[0]["dtype"] != np.float32 or len(batch) != 4 or batch[0] != -1:
            raise ValueError(f"its input is {inputs[0]['dtype'].__name__} {batch}, not float32 [-1, H, W, C]")
        self.input_shape: tuple[int, ...] = tuple(batch[1:])
        self._count = 0  # images that tensors are allocated for
        answer = self.run(np.zeros((1, *self.input_shape), np.uint8))
        if answer.dtype != np.float32 or answer.ndim != 2 or not np.isfinite(answer).all():
            raise ValueError(f"it gives {answer.dtype} {list(answer.shape)}, not finite float32 [1, K]")
        self.outputs: int = answer.shape[1]

    def run(self, images: np.ndarray) -> np.ndarray:
        """images: uint8 [N, H, W, C]. Returns a copy, float32 [N, K]."""
        if len(images) != self._count:
            self._interpreter.resize_tensor_input(self._input, images.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._count = len(images)
        self._interpreter.set_tensor(self._input, images.astype(np.float32))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)
