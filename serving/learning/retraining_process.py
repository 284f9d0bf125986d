"""A retraining in its own process, at low priority; started by a trainer or by hand."""

import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

from experiments.data import datasets
from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.inference.bundle import BundleError
from experiments.inference.litert import ModelError
from experiments.registry import production
from experiments.registry.store import RegistryError, TrackingStore
from experiments.retraining.corrections import Accepted, RetrainingError, UnansweredError
from experiments.training.tensorflow_options import set_tensorflow_options
from redaction import Redactor
from serving.learning.contradictions import Judge, learnable, production_judge
from serving.learning.reporter import HEARTBEAT, Reporter
from serving.learning.retraining_requests import learnable_count
from serving.learning.trainer import LOG
from serving.storage.database import Database, wait_for_database
from serving.storage.records import AbandonedError, Retraining, RetrainingState, StoreError
from settings import Settings

# Functions import what needs SQLAlchemy or TensorFlow, since the page starts with this module.
if TYPE_CHECKING:
    from experiments.retraining.retrain import RetrainingResult

NICENESS = 19
Retrain = Callable[[Settings, str, Accepted, Reporter], "RetrainingResult"]
DecideAgain = Callable[[Settings, Retraining, Reporter], "RetrainingResult"]


def run(
    settings: Settings,
    dataset: str,
    number: int | None,
    retrain: Retrain | None = None,
    heartbeat: float = HEARTBEAT,
    judge: Callable[[Settings, str], Judge] = production_judge,
    attempt: int = 1,
    decide_again: DecideAgain | None = None,
) -> int:
    """Run a retraining in this process: the attempt that a trainer has begun at the one of this number, or a new one.
    Returns the exit status, 0 also if the gate refused the model. Raises BusyError, RetrainingError, StoreError."""
    from serving.storage.retrainings import Retrainings

    database = Database.of(settings)
    retrainings = Retrainings(database)
    retraining = _begun(database, dataset, number, attempt)
    redact = Redactor.of(settings, os.environ).redact
    reporter = Reporter(retrainings, retraining, redact, heartbeat)
    state: RetrainingState
    results: dict[str, Any] = {}
    with StopSignals() as stop:
        try:
            if retraining.run_id:
                result = (decide_again or _decide_again)(settings, retraining, reporter)
            else:
                accepted = _learnable(database, retraining, judge(settings, retraining.dataset), reporter)
                result = (retrain or _retrain)(settings, retraining.dataset, accepted, reporter)
            state, reason = "promoted" if result.decision.promote else "refused", result.decision.reason
            results = {"version": result.version, "run_id": result.run_id, "progress": 1.0}
            results["differences"] = [asdict(row) for row in result.differences]
        except (KeyboardInterrupt, Exception) as error:
            own = error if isinstance(error, Exception) and not stop.received else None
            state, reason = _outcome(own, reporter.deciding)
    reason = redact(reason)
    reporter.log(f"{state.capitalize()}: {reason}")
    reporter.close()
    wait_for_database(partial(retrainings.finish, retraining, state, reason, **results))
    database.close()
    return 1 if state in ("failed", "cancelled") else 0


def lower_priority() -> None:
    """Let everything else on this machine go first."""
    os.nice(NICENESS - os.nice(0))


def exit_now(status: int) -> NoReturn:
    """End this process without Python's shutdown, under which the threads that an interrupted TensorFlow leaves
    behind now and then abort."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class StopSignals:
    """Raises KeyboardInterrupt on SIGINT and SIGTERM while its block runs, in the main thread only.

    `received`: whether one came, since a library that is interrupted may raise an error of its own instead.
    """

    received = False

    def __enter__(self) -> Self:
        self._previous = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, *_: object) -> NoReturn:
        self.received = True
        raise KeyboardInterrupt


def _begun(database: Database, dataset: str, number: int | None, attempt: int) -> Retraining:
    """The retraining that this process does. Raises BusyError, and RetrainingError if this attempt is not, or no
    longer, the one to be made."""
    from serving.storage.retrainings import Retrainings

    if number is None:
        return Retrainings(database).claim(dataset, learnable_count(database, dataset))
    retraining = Retrainings(database).get(number)
    if retraining is None or not retraining.is_active or retraining.state == "queued":
        raise RetrainingError(f"There is no retraining {number} to run.")
    if retraining.attempts != attempt:
        raise RetrainingError(f"Retraining {number} is at attempt {retraining.attempts}, not {attempt}.")
    return retraining


def _decide_again(settings: Settings, retraining: Retraining, reporter: Reporter) -> "RetrainingResult":
    """The decision alone, of a retraining whose process was lost during it."""
    from experiments.evaluation.comparison import Difference
    from experiments.retraining.retrain import decide_again

    reporter.log("The model is trained and measured; its decision is made again.")
    differences = tuple(Difference(**row) for row in retraining.differences)
    reporter.measured(retraining.run_id, differences)
    return decide_again(TrackingStore.of(settings), SPECS[retraining.dataset], retraining.run_id, differences, reporter)


def _retrain(settings: Settings, dataset: str, accepted: Accepted, reporter: Reporter) -> "RetrainingResult":
    """Retrain the registry's Production model."""
    set_tensorflow_options()
    from experiments.registry.upkeep import bring_up_to_date
    from experiments.retraining.retrain import retrain

    spec, store = SPECS[dataset], TrackingStore.of(settings)
    bring_up_to_date(store, spec, settings.models_dir / dataset, reporter.log)
    champion = production.pull(store, spec)
    if champion is None:
        raise RetrainingError("There is no Production model to start from. Make one with `python -m experiments`.")
    return retrain(accepted, datasets.load(dataset, settings.data_dir), champion, store, reporter)


def _learnable(database: Database, retraining: Retraining, judge: Judge, reporter: Reporter) -> Accepted:
    """The accepted corrections without those to be asked about. Raises UnansweredError."""
    from serving.storage.corrections import Corrections
    from serving.storage.retrainings import Retrainings

    accepted = learnable(Corrections(database), judge, retraining.dataset, reporter.log)
    Retrainings(database).heartbeat(retraining, corrections=len(accepted))
    return accepted


def _outcome(error: Exception | None, deciding: bool) -> tuple[RetrainingState, str]:
    """The state and reason of a retraining that ended before its result: in an error, or stopped by a signal."""
    if error is None and deciding:
        return "failed", "It was ended during the decision. The Production log shows which version is in Production."
    if error is None:
        return "cancelled", "It was cancelled. Nothing has changed."
    if isinstance(error, UnansweredError):
        return "refused", str(error)
    worded = (AbandonedError, BundleError, DatasetError, ModelError, RegistryError, RetrainingError, StoreError)
    if isinstance(error, worded):
        return "failed", str(error)
    logging.getLogger(__name__).error("The retraining broke off", exc_info=error)
    return "failed", f"The fault is on this side ({type(error).__name__}); {LOG} in DEMO_ARTIFACT_DIR has the details."
