"""A page with its decoding workers, its database and its retraining, each of which can be killed and started again."""

import json
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

import psutil
import sqlalchemy as sa

from benchmarks.learning import extreme_ones
from benchmarks.peers import demo
from benchmarks.postgres import Postgres
from benchmarks.processes import free_ports
from experiments.data.specs import SPECS
from experiments.inference import bundle
from serving.core.client_ids import KEY_BYTES, KEY_FILE
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import HEARTBEAT_TIMEOUT, CorrectionFilter
from serving.storage.retrainings import Retrainings
from serving.storage.tables import corrections, predictions, retrainings
from tests.helpers.corrections import correction
from tests.helpers.soak_load import OPERATOR_KEY

PATIENCE = 60.0  # s
WORKERS = 2
FAULTS = ("Traceback", "ERROR", "locked", "damaged", "malformed")
"""What the log of a clean start does not say."""


class Killable:
    """demo.py on a database of its own, SQLite's or that of `postgres`, with corrections to learn from. Everything that
    it keeps lies in `folder`."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.folder, self._postgres = folder, postgres
        self.victims = ["page", "worker", "retraining"] + (["database"] if postgres else [])
        self._database_up = True
        url = f"sqlite:///{folder / 'history.db'}" if postgres is None else f"{postgres.url}/soak"
        if postgres is not None:
            postgres.create("soak")
        self.database = Database(url)
        self._accept_corrections()
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "DATABASE_URL": "" if postgres is None else url,
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
            "GRADIO_TEMP_DIR": str(folder / "uploads"),
            "DEMO_OPERATOR_KEY": OPERATOR_KEY,
            "DEMO_WORKERS": str(WORKERS),
            "DEMO_MAX_PENDING_CORRECTIONS": "1000000",
            "DEMO_HISTORY_ROWS": "10000000",
        }
        self._page = demo(port, folder, **settings)
        self._start = 0  # where the log of the present start begins

    def close(self) -> None:
        """End what is left of it, and of what it started."""
        self._page.stop()
        self.database.close()
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def kill(self, victim: str) -> None:
        """Kill one of `victims`, if it lives, as `kill -9` does."""
        if victim == "database":
            self._postgres.kill()
            self._database_up = False
        elif victim == "page":
            self._page.process.kill()
            self._page.process.wait()
        else:
            for process in self._retrainings() if victim == "retraining" else self._workers()[:1]:
                process.kill()
                _wait_for(lambda process=process: not _command(process))

    def restore(self) -> None:
        """Start again whatever has died."""
        if not self._database_up:
            self._postgres.start()
            self.database.close()
            self._database_up = True
        if self._page.process.poll() is not None:
            self._start = len(self._page.printed())
            self._page.start()

    def start_retraining(self) -> None:
        """Start a retraining unless one is going on. A dead one is given up first: it is cancelled, which ends it at
        once 30 s after its death."""
        if self._retrainings():
            return
        with self.database.engine.begin() as connection:
            silent = sa.update(retrainings).where(retrainings.c.active == 1)
            connection.execute(silent.values(seen_at=time.time() - HEARTBEAT_TIMEOUT - 1, state="training", run_id=""))
        Retrainings(self.database).cancel()
        last = self._ask("GET", "/api/retrain/status")["retraining"]
        assert last is None or last["ended_at"], last
        started = self._ask("POST", "/api/retrain")
        assert last is None or started["id"] > last["id"]

    def check(self) -> None:
        """Check that all is up, and that no process and no file is left as it should not be."""
        assert self._ask("GET", "/api/ready")["status"] == "ready"
        _wait_for(lambda: len(self._workers()) == WORKERS)
        _wait_for(lambda: not self._orphans(), lambda: [_command(process) for process in self._orphans()])
        started = self._page.printed()[self._start :]
        if self._start:
            assert not [line for line in started.splitlines() if any(word in line for word in FAULTS)], started
        self._check_files()

    def kept(self) -> tuple[set[str], dict[str, str]]:
        """Return the ids of the answers in the database, and of the corrections with their labels."""
        with self.database.engine.connect() as connection:
            answers = set(connection.execute(sa.select(predictions.c.request_id)).scalars())
            rows = connection.execute(sa.select(corrections.c.request_id, corrections.c.proposed)).all()
        return answers, dict(rows)

    def _accept_corrections(self) -> None:
        images = extreme_ones(20, 1)
        given = Corrections(self.database)
        given.add([correction(number, image=image.tobytes()) for number, image in enumerate(images)])
        given.review(CorrectionFilter("mnist"), "accepted")

    def _check_files(self) -> None:
        for path in self.folder.glob("*.db"):
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert len((self.folder / KEY_FILE).read_bytes()) == KEY_BYTES
        for dataset in SPECS:
            exports = bundle.exports_of(self.folder, dataset)
            bundle.read_current(exports)
            for exported in exports.glob("[0-9]*"):
                bundle.read(exported)

    def _ask(self, method: str, path: str) -> dict:
        """Ask as the operator, again while a busy machine opens the database."""
        headers, body = (
            {"Content-Type": "application/json", "X-API-Key": OPERATOR_KEY},
            b"{}" if method == "POST" else None,
        )
        end = time.monotonic() + PATIENCE
        while True:
            request = urllib.request.Request(self.url + path, body, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() > end:
                    raise AssertionError(f"{method} {path}: {error.read().decode()}") from error
            time.sleep(0.5)

    def _processes(self) -> list[psutil.Process]:
        """Everything on this machine that was started with this folder, whoever's child it is by now."""
        return [
            process
            for process in psutil.process_iter(["environ"])
            if (process.info["environ"] or {}).get("DEMO_ARTIFACT_DIR") == str(self.folder) and _command(process)
        ]

    def _workers(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._page.process.pid).children()
            return [child for child in children if "serving.prediction.worker" in _command(child)]
        return []

    def _retrainings(self) -> list[psutil.Process]:
        return [process for process in self._processes() if _command(process)[1:4] == ["-m", "serving", "retrain"]]

    def _orphans(self) -> list[psutil.Process]:
        """Processes that belong neither to the page nor to the retraining."""
        owners = {self._page.process.pid, *(process.pid for process in self._retrainings())}
        orphans = []
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                if not owners & {process.pid, *(parent.pid for parent in process.parents())}:
                    orphans.append(process)
        return orphans


def _command(process: psutil.Process) -> list[str]:
    """Return its command line, empty of one that has ended."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _wait_for(condition, explain=lambda: "what was waited for did not come") -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.1)
