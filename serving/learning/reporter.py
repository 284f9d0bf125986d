"""Follows a retraining from inside its process: tells the database how it goes, and ends it when it is asked to."""

import _thread
import contextlib
import logging
import threading
import time

import pydantic

from experiments.training.progress import Epoch
from serving.storage.records import CANCELLABLE, AbandonedError, Retraining
from serving.storage.retrainings import Retrainings

BEAT = 2.0  # s between two signs of life
LINES = 60  # of the log that are kept
STARTS = {"preparing": 0.02, "training": 0.25, "measuring": 0.65, "deciding": 0.97}
"""How far a retraining is when each of its stages begins, 0 to 1."""
_EPOCHS = pydantic.TypeAdapter(list[Epoch])


def epochs_of(job: Retraining) -> list[Epoch]:
    """The finished epochs of a retraining, from the JSON in the database."""
    return _EPOCHS.validate_python(job.epochs)


class Reporter:
    """A watcher of experiments.retraining. Its heartbeat is a thread; a cancelled job's main thread is interrupted."""

    def __init__(self, jobs: Retrainings, job: Retraining, beat: float = BEAT) -> None:
        self._jobs, self._job, self._beat = jobs, job, beat
        self._state, self._progress, self._epochs_in_all = "starting", 0.0, 1
        self._epochs: list[Epoch] = []
        self._log: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def stage(self, name: str, epochs: int = 0) -> None:
        """The retraining enters a stage, training with so many epochs. Raises KeyboardInterrupt before the decision if
        it was cancelled; later it can't be."""
        if name not in CANCELLABLE and not self._jobs.begin_decision(self._job.id):
            raise KeyboardInterrupt
        self._state, self._progress, self._epochs_in_all = name, STARTS[name], epochs
        self.log(name.capitalize())

    def log(self, line: str) -> None:
        """A line for the log."""
        print(line, flush=True)
        self._log = [*self._log, f"{time.strftime('%H:%M:%S', time.gmtime())} {line}"][-LINES:]

    @property
    def deciding(self) -> bool:
        """Whether it is too late to cancel."""
        return self._state not in CANCELLABLE

    def batch(self, epoch: int, done: int, total: int) -> None:
        """So far is the training."""
        share = (epoch - 1 + done / total) / self._epochs_in_all
        self._progress = STARTS["training"] + share * (STARTS["measuring"] - STARTS["training"])

    def epoch(self, result: Epoch) -> None:
        """A point on each of the curves."""
        self._epochs = [*self._epochs, result]
        accuracy = f"{100 * result.val_accuracy:.2f} % on validation"
        self.log(f"Epoch {result.epoch} of {result.epochs}: loss {result.loss:.3f}, {accuracy}")

    def close(self) -> None:
        """The last sign of life, with the last lines."""
        self._over.set()
        self._thread.join()
        with contextlib.suppress(AbandonedError):
            self._tell()

    def _run(self) -> None:
        interrupted = False
        while not self._over.wait(self._beat):
            try:
                asked_to_end = self._tell()
            except AbandonedError as error:
                self.log(str(error))
                _thread.interrupt_main()
                return
            except Exception as error:  # a database that is away for some seconds ends nothing
                logging.getLogger(__name__).warning("No sign of life: %s", str(error).partition("\n")[0])
                continue
            if asked_to_end and not interrupted and not self.deciding:
                interrupted = True  # once; to break off can take longer than the silence that counts as death
                _thread.interrupt_main()

    def _tell(self) -> bool:
        elapsed = time.time() - self._job.started_at
        remaining = elapsed * (1 - self._progress) / self._progress if self._progress > 0.1 else None
        state = {} if self._state == "starting" else {"state": self._state}
        epochs = _EPOCHS.dump_python(self._epochs, exclude={"__all__": {"seconds"}})
        seen = {"progress": self._progress, "remaining": remaining, "epochs": epochs, "log": self._log}
        return self._jobs.heartbeat(self._job.id, **state, **seen)
