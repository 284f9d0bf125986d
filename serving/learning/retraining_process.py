"""A retraining as a process of its own, at low priority; started from the page, by the API or by hand."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

from pydantic import SecretStr

from experiments.data import datasets
from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.inference.bundle import BundleError
from experiments.inference.litert import ModelError
from experiments.registry import production
from experiments.registry.store import HURRIED, RegistryError, TrackingStore
from experiments.retraining.corrections import MIN_CORRECTIONS, Accepted, RetrainingError, UnansweredError, check_enough
from redaction import Redactor
from serving.core.errors import Refused
from serving.core.private_files import private_file
from serving.learning.contradictions import Judge, learnable, production_judge
from serving.learning.reporter import HEARTBEAT, Reporter
from serving.storage.database import Database, wait_for_database
from serving.storage.records import BusyError, CorrectionFilter, Retraining, RetrainingState, StoreError
from settings import ROOT, Settings, variable

# Functions import what needs SQLAlchemy or TensorFlow, since the page starts with this module.
if TYPE_CHECKING:
    from experiments.retraining.retrain import RetrainingResult
    from serving.services import Services

CORRECTIONS_NEEDED = MIN_CORRECTIONS
"""Accepted ones, for a retraining."""
NICENESS = 19
LOG = "retraining.log"  # in DEMO_ARTIFACT_DIR: what the last process printed, tracebacks included
Retrain = Callable[[Settings, str, Accepted, Reporter], "RetrainingResult"]


def start_retraining(services: "Services", dataset: str) -> Retraining:
    """Start a new retraining in a process that outlives this one. Raises Refused, StoreError."""
    try:
        retraining = claim(services.database, dataset)
        _start_process(services, retraining)
    except BusyError as error:
        raise Refused(409, "busy", str(error), "GET /api/retrain/status shows it.") from None
    except RetrainingError as error:
        raise Refused(409, "not_started", str(error), "GET /api/training-data lists what there is.") from None
    return retraining


def cancel_retraining(services: "Services") -> Retraining:
    """Ask the active retraining to end, and return it. Raises Refused if none can be cancelled."""
    retraining = services.retrainings.cancel()
    if retraining is None:
        raise Refused(409, "nothing_to_cancel", "No retraining can be cancelled now.")
    return retraining


def claim(database: Database, dataset: str) -> Retraining:
    """Enter a new retraining on all accepted corrections. Raises BusyError, RetrainingError, StoreError."""
    from serving.storage.corrections import Corrections
    from serving.storage.retrainings import Retrainings

    corrections = Corrections(database)
    unanswered = corrections.count(CorrectionFilter(dataset, state="accepted", unanswered=True))
    count = corrections.count(CorrectionFilter(dataset, state="accepted")) - unanswered
    check_enough(count, unanswered)
    return Retrainings(database).claim(dataset, count)


def run(
    settings: Settings,
    dataset: str,
    number: int | None,
    retrain: Retrain | None = None,
    heartbeat: float = HEARTBEAT,
    judge: Callable[[Settings, str], Judge] = production_judge,
) -> int:
    """Run a retraining in this process: the claimed one of this number, or a new one.

    Returns the exit status, which is 0 also if the gate refused the model. Raises BusyError, RetrainingError,
    StoreError.
    """
    from serving.storage.retrainings import Retrainings

    database = Database.of(settings)
    retrainings = Retrainings(database)
    retraining = claim(database, dataset) if number is None else retrainings.get(number)
    if retraining is None or not retraining.is_active:
        raise RetrainingError(f"There is no retraining {number} to run.")
    redact = Redactor.of(settings, os.environ).redact
    reporter = Reporter(retrainings, retraining, redact, heartbeat)
    state: RetrainingState
    results: dict[str, Any] = {}
    with StopSignals() as stop:
        try:
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
    wait_for_database(partial(retrainings.finish, retraining.id, state, reason, **results))
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


def _start_process(services: "Services", retraining: Retraining) -> None:
    """Raises RetrainingError."""
    arguments = ["retrain", "--dataset", retraining.dataset, "--job", str(retraining.id)]
    try:
        private_file(services.settings.artifact_dir / LOG)
        with (services.settings.artifact_dir / LOG).open("wb") as log:
            # A group of its own, so that Ctrl-C at the page does not reach it; no session, which would have its own
            # share of the processors where they are shared out by session, however low its priority.
            process = subprocess.Popen(
                [sys.executable, "-m", "serving", *arguments], cwd=ROOT, env=_environment(services.settings),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip
    except OSError as error:
        message = f"The process could not be started: {error}"
        services.retrainings.finish(retraining.id, "failed", message)
        raise RetrainingError(message) from error
    threading.Thread(target=process.wait, daemon=True).start()  # else it would stay in the process table


def _retrain(settings: Settings, dataset: str, accepted: Accepted, reporter: Reporter) -> "RetrainingResult":
    """Retrain the registry's Production model."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
    Retrainings(database).heartbeat(retraining.id, corrections=len(accepted))
    return accepted


def _outcome(error: Exception | None, deciding: bool) -> tuple[RetrainingState, str]:
    """The state and reason of a retraining that ended before its result: in an error, or stopped by a signal."""
    if error is None and deciding:
        return "failed", "It was ended during the decision. The Production log shows which version is in Production."
    if error is None:
        return "cancelled", "It was cancelled. Nothing has changed."
    if isinstance(error, UnansweredError):
        return "refused", str(error)
    if isinstance(error, (BundleError, DatasetError, ModelError, RegistryError, RetrainingError, StoreError)):
        return "failed", str(error)
    logging.getLogger(__name__).error("The retraining broke off", exc_info=error)
    return "failed", f"The fault is on this side ({type(error).__name__}); {LOG} in DEMO_ARTIFACT_DIR has the details."


def _environment(settings: Settings) -> dict[str, str]:
    """The same settings for another process, whatever they came from."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    plain = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    ours = {name: value for name, value in os.environ.items() if HURRIED.get(name) != value}  # it can wait for MLflow
    return ours | {variable(name): "" if value is None else str(value) for name, value in plain.items()}
