"""A LiteRT file as a function of images."""

import os
import queue
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

CHUNK = 64
"""Images per invocation. A quarter faster per image than one by one, and more only takes memory."""


class ModelError(RuntimeError):
    """A model can't be used. Worded for the person who runs the project."""


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
