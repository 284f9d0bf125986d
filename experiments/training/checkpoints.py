"""Checkpoints: the state of a training after each epoch, in a file, so that an interrupted training can go on."""

import json
import os
import random
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from experiments.training.progress import Epoch

DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged or foreign file raises."""


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Where the training of a run stands at the end of an epoch."""

    run_id: str
    epochs: tuple[Epoch, ...]  # finished, of all trainings of the run
    random_state: tuple[Any, ...]  # of Python's `random`, by which Keras shuffles the batches
    variables: list[np.ndarray]  # of model and optimizer: weights, seeds of dropout, averages, moments, steps
    finished: list[list[np.ndarray]]  # the weights of each earlier training of the run


class Checkpoint:
    """The file that keeps the state of a run. `state`: what it holds; None where there is nothing to go on from.
    `run_id`: the run that writes it."""

    def __init__(self, path: Path, recipe: str, log_line: Callable[[str], None] = print) -> None:
        """recipe: all that the result depends on; a file of another recipe is ignored, and so is a damaged one."""
        self._path, self._recipe, self._log_line = path, recipe, log_line
        self.state = self._read()
        self.run_id = self.state.run_id if self.state else ""

    def write(self, state: TrainingState) -> None:
        """Replace the file, which an interruption leaves as it was. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".unfinished")
        lists = {"variables": state.variables} | {f"finished-{n}": list_ for n, list_ in enumerate(state.finished)}
        described = {
            "recipe": self._recipe,
            "run_id": state.run_id,
            "epochs": [asdict(epoch) for epoch in state.epochs],
            "random_state": state.random_state,
            "lengths": {name: len(arrays) for name, arrays in lists.items()},
        }
        arrays = {f"{name}/{n}": array for name, values in lists.items() for n, array in enumerate(values)}
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, described=np.array(json.dumps(described)), **arrays)
            file.flush()
            os.fsync(file.fileno())  # so that a machine that loses power has the old file or the new one
        unfinished.replace(self._path)
        self.state = state

    def delete(self) -> None:
        """Remove the file, if there is one."""
        self._path.unlink(missing_ok=True)
        self.state, self.run_id = None, ""

    def _read(self) -> TrainingState | None:
        if not self._path.exists():
            return None
        try:
            with self._path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                described = json.loads(str(file["described"]))
                if described["recipe"] != self._recipe:
                    raise ValueError("it was made by another recipe or other versions of packages")
                lists = [[file[f"{name}/{n}"] for n in range(count)] for name, count in described["lengths"].items()]
            version, numbers, gauss = described["random_state"]
            epochs = tuple(Epoch(**epoch) for epoch in described["epochs"])
            return TrainingState(described["run_id"], epochs, (version, tuple(numbers), gauss), lists[0], lists[1:])
        except DAMAGED as error:
            self._log_line(f"The checkpoint {self._path} is ignored: {str(error).partition(chr(10))[0]}.")
            return None


class Saver(keras.callbacks.Callback):  # type: ignore[misc] # Keras ships no types
    """Restores one training of a run when it begins, and writes its checkpoint after each epoch: a callback of Keras's
    and a listener in one."""

    def __init__(self, checkpoint: Checkpoint, finished: Sequence[list[np.ndarray]]) -> None:
        """finished: the weights of the run's earlier trainings."""
        super().__init__()
        self._checkpoint, self._finished = checkpoint, list(finished)
        state = checkpoint.state
        self._epochs = list(state.epochs) if state else []
        self._state = state if state and len(state.finished) == len(finished) else None

    @property
    def finished_epochs(self) -> int:
        """Of all trainings of the run, before this one goes on."""
        return len(self._epochs)

    def on_train_begin(self, logs: object = None) -> None:  # noqa: ARG002 Keras's signature
        """Restore what the checkpoint held of this training."""
        if self._state is not None:
            self.model.optimizer.build(self.model.trainable_variables)
            for variable, value in zip(self._variables(), self._state.variables, strict=True):
                variable.assign(value)
            random.setstate(self._state.random_state)

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Ignored: an epoch is the smallest step that is kept."""

    def epoch(self, result: Epoch) -> None:
        """Write the checkpoint."""
        self._epochs.append(result)
        variables = [np.asarray(keras.ops.convert_to_numpy(variable)) for variable in self._variables()]
        epochs, run_id = tuple(self._epochs), self._checkpoint.run_id
        self._checkpoint.write(TrainingState(run_id, epochs, random.getstate(), variables, self._finished))

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]
