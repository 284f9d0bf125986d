"""Run a LiteRT model as a function of images."""

import os
import queue
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

CHUNK = 64
"""Images per invocation: a quarter faster per image than one by one, and more only costs memory."""


class ModelError(RuntimeError):
    """A model can't be used; the message is for the operator."""


class LiteRTModel:
    """A LiteRT file as a thread-safe function of images.

    Check the file's SHA-256 first, as bundle.read does: a damaged one can crash the process. Raises ModelError if the
    file is not a model of raw images in batches of any size.
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
        """Compute outputs float32 [N, K] for images uint8 [N, H, W, C]. Raises ValueError for any other array."""
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != self.input_shape:
            shape = ", ".join(map(str, self.input_shape))
            raise ValueError(f"Images must be uint8 [N, {shape}], not {images.dtype} {list(images.shape)}.")
        results = np.empty((len(images), self.outputs), np.float32)
        worker = self._idle.get()
        try:
            for start in range(0, len(images), CHUNK):
                results[start : start + CHUNK] = worker.run(images[start : start + CHUNK])
        finally:
            self._idle.put(worker)
        return results


class _Worker:
    """An interpreter for one thread at a time, warmed up, so that its first call is as fast as the rest."""

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
        self._count = 0  # of images that tensors are allocated for
        result = self.run(np.zeros((1, *self.input_shape), np.uint8))
        if result.dtype != np.float32 or result.ndim != 2 or not np.isfinite(result).all():
            raise ValueError(f"it returns {result.dtype} {list(result.shape)}, not finite float32 [1, K]")
        self.outputs: int = result.shape[1]

    def run(self, images: np.ndarray) -> np.ndarray:
        """Compute a new array of outputs float32 [N, K] for images uint8 [N, H, W, C]."""
        if len(images) != self._count:
            self._interpreter.resize_tensor_input(self._input, images.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._count = len(images)
        self._interpreter.set_tensor(self._input, images.astype(np.float32))
        self._interpreter.invoke()
        outputs: np.ndarray = self._interpreter.get_tensor(self._output)
        return outputs
