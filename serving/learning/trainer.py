"""The trainer: takes the retrainings that wait, one at a time, and does each in a process of low priority.

It is a thread of the page, or with DEMO_TRAINER=service a service of its own: `python -m serving trainer`.
"""

import contextlib
import logging
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import SecretStr

from experiments.data.specs import SPECS
from experiments.registry.store import HURRIED
from serving.core.guarded_calls import GuardedCalls
from serving.core.private_files import private_file, private_folder
from serving.learning.retraining_requests import TRAINING_PACKAGES, missing_packages
from serving.learning.self_starting import start_if_due
from serving.storage.database import Database, is_away
from serving.storage.records import HEARTBEAT_TIMEOUT, AbandonedError, FullError, Retraining, StoreError
from settings import ROOT, Settings, variable

# Functions import what needs SQLAlchemy, since the page starts with this module.
if TYPE_CHECKING:
    from serving.services import Services
    from serving.storage.retrainings import Retrainings

LOG = "retraining.log"  # in DEMO_ARTIFACT_DIR: what the last process printed, tracebacks included
SIGN = "trainer"  # in DEMO_ARTIFACT_DIR: touched at every look for work, for whoever asks whether a service lives
POLL_SECONDS = 5.0  # between two looks for work, a fifth more or less, so that trainers do not look together
CALL_SECONDS = 10.0  # for a look
RETRAIN = ("-m", "serving", "retrain")


class Trainer:
    """Looks for retrainings to do. Its process outlives it, unless it is put back."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        calls: GuardedCalls,
        command: Sequence[str] = RETRAIN,
        poll_seconds: float = POLL_SECONDS,
        packages: Sequence[str] = TRAINING_PACKAGES,
    ) -> None:
        """calls: through which the database is asked. command: of a retraining, for Python. packages: that it needs."""
        self._settings, self._database, self._calls = settings, database, calls
        self._command, self._poll_seconds, self._packages = command, poll_seconds, packages
        self._process: subprocess.Popen[bytes] | None = None
        self._retraining: Retraining | None = None  # what the process does

    def run(self, closed: threading.Event, requested: threading.Event) -> None:
        """Look for work until it is closed, at once where something was requested; whoever closes it sets both."""
        while not closed.is_set():
            requested.wait(self._poll_seconds * random.uniform(0.8, 1.2))  # noqa: S311 no secret
            requested.clear()
            if not closed.is_set():
                self.look()

    def look(self) -> None:
        """Begin what waits, unless something is going on. Never raises: it looks again."""
        try:
            retraining = self._calls.call_and_wait(self._take, CALL_SECONDS)
            if retraining is not None:
                self._start(retraining)
        except (StoreError, FullError):
            pass  # logged where it is noticed
        except Exception:
            logging.getLogger(__name__).exception("The trainer looks again")

    def put_back(self) -> None:
        """End its process, if it has one, and let another trainer do the retraining anew."""
        if self._retraining is None or not self._busy():
            return
        retraining, process = self._retraining, self._process
        if process is not None:
            process.kill()
            process.wait()
        self._calls.call_and_wait(lambda: self._retrainings.put_back(retraining), CALL_SECONDS)

    def _take(self) -> Retraining | None:
        if self._settings.trainer == "service":
            self._retrainings.show_trainer()
        for dataset in SPECS:
            start_if_due(self._settings, self._database, dataset)
        if self._retraining is not None and self._busy():
            # Where others fill the processors, its own heartbeats may not come in time, so low is its priority.
            with contextlib.suppress(AbandonedError):
                self._retrainings.heartbeat(self._retraining)
            return None
        return None if missing_packages(self._packages) else self._retrainings.take()

    def _start(self, retraining: Retraining) -> None:
        words = ["--dataset", retraining.dataset, "--attempt", str(retraining.attempts), "--job", str(retraining.id)]
        try:
            private_folder(self._settings.artifact_dir)
            private_file(self._settings.artifact_dir / LOG)
            with (self._settings.artifact_dir / LOG).open("wb") as log:
                # A group of its own, so that Ctrl-C at the page does not reach it; no session, which would have its own
                # share of the processors where they are shared out by session, however low its priority.
                self._process = subprocess.Popen(
                    [sys.executable, *self._command, *words], cwd=ROOT, env=environment_of(self._settings),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, process_group=0,
                )  # fmt: skip
            self._retraining = retraining
            # Else it would stay in the process table, once it has ended.
            threading.Thread(target=self._process.wait, daemon=True).start()
        except OSError as error:
            reason = f"The process could not be started: {error}"
            self._calls.call_and_wait(lambda: self._retrainings.finish(retraining, "failed", reason), CALL_SECONDS)

    def _busy(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def _retrainings(self) -> "Retrainings":
        from serving.storage.retrainings import Retrainings

        return Retrainings(self._database, self._calls.answering_seconds > HEARTBEAT_TIMEOUT)


def follow_requests(services: "Services") -> None:
    """Do what is asked of this page or another until the stop, in a thread of its own, and in none where a service
    does."""
    if services.settings.trainer == "page":
        if services.recorder is None:
            services.retraining_requested.wait()  # until then such a page writes nothing
        trainer = Trainer(services.settings, services.database, services.database_calls)
        trainer.run(services.closed, services.retraining_requested)


def serve(settings: Settings, command: Sequence[str] = RETRAIN) -> None:
    """Be the service until SIGTERM or Ctrl-C, which puts back what is going on."""
    closed = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closed.set())
    settings = settings.model_copy(update={"trainer": "service"})
    database = Database.of(settings)
    calls = GuardedCalls("database", CALL_SECONDS, StoreError, is_away)
    trainer = Trainer(settings, database, calls, command)
    private_folder(settings.artifact_dir)
    print("The trainer waits for retrainings (Ctrl-C stops it).", flush=True)
    while not closed.is_set():
        trainer.look()
        (settings.artifact_dir / SIGN).touch()
        closed.wait(POLL_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 no secret
    trainer.put_back()
    calls.close()
    database.close()
    print("Stopped.", flush=True)


def environment_of(settings: Settings) -> dict[str, str]:
    """The same settings for another process, whatever they came from."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    plain = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    ours = {name: value for name, value in os.environ.items() if HURRIED.get(name) != value}  # it can wait for MLflow
    return ours | {variable(name): "" if value is None else str(value) for name, value in plain.items()}
