"""A retraining as a process of its own, at low priority; started from the page, by the API or by hand."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

from pydantic import SecretStr

from experiments.data.specs import SPECS
from experiments.retraining.corrections import Accepted, RetrainingError, check_enough
from serving.core.errors import Refused
from serving.storage.database import Database, open_database
from serving.storage.records import BusyError, CorrectionFilter, Retraining
from settings import ROOT, Settings

if TYPE_CHECKING:
    from experiments.retraining.retrain import RetrainingResult
    from serving.learning.reporter import Reporter
    from serving.services import Services

NICE = 19
LOG = "retraining.log"  # in ARTIFACT_DIR: what the last process printed, tracebacks included
Learn = Callable[[Settings, str, Accepted, "Reporter"], "RetrainingResult"]


def claim(database: Database, dataset: str) -> Retraining:
    """A new retraining on what is accepted, which nobody does yet. Raises BusyError, RetrainingError, StoreError."""
    from serving.storage.corrections import Corrections
    from serving.storage.retrainings import Retrainings

    count = Corrections(database).count(CorrectionFilter(dataset, state="accepted"))
    check_enough(count)
    return Retrainings(database).claim(dataset, count)


def start(database: Database, settings: Settings, dataset: str) -> Retraining:
    """Has a new process do a new retraining; it outlives this one. Raises as claim does."""
    from serving.storage.retrainings import Retrainings

    job = claim(database, dataset)
    command = [sys.executable, "-m", "serving", "retrain", "--dataset", dataset, "--job", str(job.id)]
    try:
        with (settings.artifact_dir / LOG).open("wb") as log:
            # A group of its own, so that Ctrl-C at the page does not reach it; no session, which would have its own
            # share of the processors where they are shared out by session, however low its priority.
            process = subprocess.Popen(
                command, cwd=ROOT, env=_environment(settings), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip
    except OSError as error:
        Retrainings(database).finish(job.id, "failed", f"Its process could not be started: {error}")
        raise RetrainingError(f"The process could not be started: {error}") from error
    threading.Thread(target=process.wait, daemon=True).start()  # else it would stay in the table of processes
    return job


class Ending:
    """What Ctrl-C, SIGTERM and a cancellation do to the main thread. `asked`: whether one of them came, since a library
    that is cut off may make an error of its own of the KeyboardInterrupt."""

    asked = False

    def __call__(self, *_: object) -> NoReturn:
        """The handler of their signals."""
        self.asked = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def ending() -> Iterator[Ending]:
    """Has the signals that end this process heard, while the block runs. In the main thread only."""
    heard = Ending()
    before = {each: signal.signal(each, heard) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield heard
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def lower_priority() -> None:
    """Lets everything else on this machine go first."""
    os.nice(NICE - os.nice(0))


def run(
    settings: Settings, dataset: str, number: int | None, learn: "Learn | None" = None, beat: float | None = None
) -> int:
    """Does a retraining in this process: the one of this number, which somebody has claimed, or a new one. Returns the
    exit status: 0 also if the gate refused it. `beat`: seconds between two signs of life, if not the usual. Raises
    BusyError, RetrainingError, StoreError."""
    from serving.learning.reporter import BEAT, Reporter
    from serving.storage.corrections import Corrections
    from serving.storage.retrainings import Retrainings

    database = open_database(settings)
    jobs = Retrainings(database)
    job = claim(database, dataset) if number is None else jobs.get(number)
    if job is None or not job.is_active:
        raise RetrainingError(f"There is no retraining {number} to do.")
    reporter, state, results = Reporter(jobs, job, BEAT if beat is None else beat), "failed", {}
    with ending() as heard:
        try:
            accepted = Accepted(*Corrections(database).accepted(job.dataset))
            result = (learn or _learn)(settings, job.dataset, accepted, reporter)
            state, reason = "promoted" if result.decision.promote else "refused", result.decision.reason
            results = {"version": result.version, "run_id": result.run_id, "progress": 1.0}
            results["differences"] = [asdict(row) for row in result.differences]
        except (KeyboardInterrupt, Exception) as error:
            if not heard.asked and isinstance(error, Exception):
                reason = _worded(error)
            elif reporter.deciding:
                reason = "It was ended while it decided. The Production log says what is in Production."
            else:
                state, reason = "cancelled", "It was cancelled. Nothing has changed."
    reporter.log(f"{state.capitalize()}: {reason}")
    reporter.close()
    jobs.finish(job.id, state, reason, **results)
    database.close()
    return 1 if state in ("failed", "cancelled") else 0


def exit_now(status: int) -> NoReturn:
    """Ends this process without more ado: a training that was cut off leaves threads of TensorFlow's behind, which now
    and then abort the process when Python shuts down under them."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _learn(settings: Settings, dataset: str, accepted: Accepted, reporter: "Reporter") -> "RetrainingResult":
    """The real thing: TensorFlow, MLflow, and the registry's Production model."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from experiments.data import datasets
    from experiments.registry import production
    from experiments.registry.store import TrackingStore
    from experiments.retraining import retrain
    from experiments.runs import experiment

    spec = SPECS[dataset]
    store = TrackingStore.of(settings)
    experiment.seed_registry(store, spec, settings.models_dir / dataset, reporter.log)
    champion = production.pull(store, spec)
    if champion is None:
        raise RetrainingError("There is no Production model to start from. Make one with `python -m experiments`.")
    return retrain.retrain(accepted, datasets.load(dataset, settings.data_dir), champion, store, reporter)


def _worded(error: Exception) -> str:
    from experiments.data.datasets import DatasetError
    from experiments.inference.bundle import BundleError
    from experiments.registry.store import RegistryError
    from serving.storage.records import StoreError

    if isinstance(error, (BundleError, DatasetError, RegistryError, RetrainingError, StoreError)):
        return str(error)
    logging.getLogger(__name__).error("The retraining broke off", exc_info=error)
    return f"The fault is on this side ({type(error).__name__}); {LOG} in ARTIFACT_DIR has the details."


def _environment(settings: Settings) -> dict[str, str]:
    """The same settings for another process, whatever they came from."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    plain = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    return os.environ | {name.upper(): "" if value is None else str(value) for name, value in plain.items()}


def start_retraining(services: "Services", dataset: str) -> Retraining:
    """A new retraining. Raises Refused."""
    try:
        return start(services.database, services.settings, dataset)
    except BusyError as error:
        raise Refused(409, "busy", str(error), "GET /api/retrain/status shows it.") from None
    except RetrainingError as error:
        raise Refused(409, "not_started", str(error), "GET /api/training-data lists what there is.") from None


def latest_retraining(services: "Services", dataset: str | None) -> Retraining | None:
    """The one that is going on, else the last."""
    from serving.storage.retrainings import Retrainings

    return Retrainings(services.database).latest(dataset)


def cancel_retraining(services: "Services") -> Retraining:
    """The one that was asked to end. Raises Refused."""
    from serving.storage.retrainings import Retrainings

    job = Retrainings(services.database).cancel()
    if job is None:
        raise Refused(409, "nothing_to_cancel", "No retraining is going on that could be cancelled.", "")
    return job
