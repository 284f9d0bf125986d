"""Report a retraining from inside its process: progress to the database, a cancellation or loss to its main thread."""

import _thread
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import pydantic

from experiments.training.progress import Epoch
from serving.storage.database import wait_for_database
from serving.storage.records import CANCELLABLE, MAX_ATTEMPTS, AbandonedError, Retraining

if TYPE_CHECKING:
    from experiments.evaluation.comparison import Difference
    from experiments.retraining.retrain import Stage
    from serving.storage.retrainings import Retrainings

HEARTBEAT = 2.0  # s between two
LINES = 60  # of the log that are kept
STARTS = {"preparing": 0.02, "training": 0.25, "measuring": 0.65, "deciding": 0.97}
"""Progress, 0 to 1, at which each stage begins."""
_EPOCHS = pydantic.TypeAdapter(list[Epoch])


def epochs_of(retraining: Retraining) -> list[Epoch]:
    """The finished epochs of a retraining, from the JSON in the database."""
    return _EPOCHS.validate_python(retraining.epochs)


class Reporter:
    """A RetrainingListener. Heartbeats come from a thread, which interrupts the main thread if it was cancelled."""

    def __init__(
        self,
        retrainings: "Retrainings",
        retraining: Retraining,
        redact: Callable[[str], str],
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._retrainings, self._retraining, self._heartbeat = retrainings, retraining, heartbeat
        self._redact = redact
        self._state, self._progress, self._total_epochs = "starting", 0.0, 1
        self._epochs = epochs_of(retraining) if retraining.run_id else []  # where only the decision is left
        self._log: list[str] = list(retraining.log)
        self._results: dict[str, Any] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        if retraining.attempts > 1:
            self.log(f"Attempt {retraining.attempts} of {MAX_ATTEMPTS}: the process of the one before was lost.")
        self._thread.start()

    def stage(self, name: "Stage", epochs: int = 0) -> None:
        """Enter a stage, training with so many epochs. Raises KeyboardInterrupt before the decision if the retraining
        was cancelled; later it can't be."""
        if name not in CANCELLABLE:
            begin = partial(self._retrainings.begin_decision, self._retraining, **self._results)
            if not wait_for_database(begin):
                raise KeyboardInterrupt
        self._state, self._progress, self._total_epochs = name, STARTS[name], epochs
        self.log(name.capitalize())

    def measured(self, run_id: str, differences: "Sequence[Difference]") -> None:
        """Keep what the decision is made by, so that another attempt can repeat it alone."""
        self._results = {"run_id": run_id, "differences": [asdict(row) for row in differences]}

    def confirm(self) -> None:
        """Raise AbandonedError if the retraining was taken from this process, which then must change nothing."""
        wait_for_database(partial(self._retrainings.heartbeat, self._retraining))

    def log(self, line: str) -> None:
        """Add a line to the log, and print it."""
        line = self._redact(line)
        print(line, flush=True)
        self._log = [*self._log, f"{time.strftime('%H:%M:%S', time.gmtime())} {line}"][-LINES:]

    @property
    def deciding(self) -> bool:
        """Whether it is too late to cancel."""
        return self._state not in CANCELLABLE

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Advance the progress within the training."""
        share = (epoch - 1 + done / total) / self._total_epochs
        self._progress = STARTS["training"] + share * (STARTS["measuring"] - STARTS["training"])

    def epoch(self, result: Epoch) -> None:
        """Add a point to each of the curves."""
        self._epochs = [*self._epochs, result]
        accuracy = f"{100 * result.val_accuracy:.2f} % on validation"
        self.log(f"Epoch {result.epoch} of {result.epochs}: loss {result.loss:.3f}, {accuracy}")

    def close(self) -> None:
        """Stop the thread and send the last lines."""
        self._closed.set()
        self._thread.join()
        with contextlib.suppress(AbandonedError):
            wait_for_database(self._send)

    def _run(self) -> None:
        interrupted = False
        while not self._closed.wait(self._heartbeat):
            try:
                cancelled = self._send()
            except AbandonedError as error:
                self.log(str(error))
                _thread.interrupt_main()
                return
            except Exception as error:  # a database that is away for some seconds ends nothing
                logging.getLogger(__name__).warning("No heartbeat: %s", str(error).partition("\n")[0])
                continue
            if cancelled and not interrupted and not self.deciding:
                interrupted = True  # once; to break off can take longer than HEARTBEAT_TIMEOUT
                _thread.interrupt_main()

    def _send(self) -> bool:
        """Send a heartbeat with all that is new. Returns whether the retraining was cancelled."""
        elapsed = time.time() - self._retraining.started_at
        remaining = elapsed * (1 - self._progress) / self._progress if self._progress > 0.1 else None
        state = {} if self._state == "starting" else {"state": self._state}
        epochs = _EPOCHS.dump_python(self._epochs, exclude={"__all__": {"seconds"}})
        return self._retrainings.heartbeat(
            self._retraining, progress=self._progress, remaining=remaining, epochs=epochs, log=self._log, **state
        )
