"""A page with its database and its MLflow server, either of which can be made to hang, to be down or to be slow."""

import base64
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import httpx
import sqlalchemy as sa

from benchmarks.open_loop import Answer, OpenLoop
from benchmarks.peers import demo
from benchmarks.postgres import Postgres
from benchmarks.processes import Server, free_ports
from benchmarks.slow_proxy import SlowProxy
from experiments.data.specs import SPECS
from experiments.inference import bundle
from experiments.registry import production
from experiments.registry.store import TrackingStore
from serving.storage.tables import corrections, predictions
from settings import Settings

DELAY = 1.0  # s that a slow server's answers are late
PATIENCE = 60.0  # s for everything to recover
CORRECTION_TIMEOUT = 20.0  # s, after which a visitor has given up
READY_TIMEOUT = 3.0  # s, after which whoever asks for readiness gives up
CORRECTIONS_EVERY = 2.0  # s
STOP_TIMEOUT = 30.0  # s, after which a stop has failed and the page is killed
KEY = {"X-API-Key": "key of the benchmark"}


@dataclass(frozen=True)
class Correction:
    """What came of a correction: `message` names the status, and for a refusal the reason."""

    id: str
    confirmed: bool
    message: str


@dataclass(frozen=True)
class Period:
    """What a load came to."""

    answers: list[Answer]
    ready: list[bool]
    corrections: list[Correction]


@dataclass(frozen=True)
class Stop:
    """A SIGTERM under load: how long it took, the exit status, and the answers before it. lost: of those confirmed."""

    seconds: float
    status: int
    answers: list[Answer]
    lost: int = 0

    @property
    def confirmed(self) -> int:
        """How many answers were confirmed."""
        return sum(answer.status == 200 for answer in self.answers)


class FaultySystem:
    """One PostgreSQL and one MLflow server; page() starts pages at them, each with a database of its own."""

    def __init__(self, folder: Path, rate: float, seconds: float) -> None:
        self._folder, self._rate, self._seconds = folder, rate, seconds
        self._running, self._pages, self._drawings = ExitStack(), 0, sorted((folder / "png").iterdir())

    def __enter__(self) -> Self:
        with ExitStack() as running:
            self.postgres = Postgres()
            running.callback(self.postgres.stop)
            self.mlflow, self.mlflow_port = mlflow_server(self._folder)
            running.callback(self.mlflow.stop)
            self.proxies = {"database": SlowProxy(sa.make_url(self.postgres.url).port or 0)}
            self.proxies["mlflow"] = SlowProxy(self.mlflow_port)
            for proxy in self.proxies.values():
                running.callback(proxy.stop)
            store = TrackingStore(f"http://127.0.0.1:{self.mlflow_port}", self._folder / "seeding")
            production.seed_shipped(store, SPECS["mnist"], bundle.read(Settings().models_dir / "mnist"))
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @contextmanager
    def page(self, slow: Collection[str]) -> Iterator[None]:
        """Run a page with an empty database. slow: what it reaches through a proxy, which may delay answers."""
        self._pages += 1
        name = f"page_{self._pages}"
        self.postgres.create(name)
        url = sa.make_url(f"{self.postgres.url}/{name}")
        mlflow_port = self.proxies["mlflow"].port if "mlflow" in slow else self.mlflow_port
        self._direct = sa.create_engine(url)
        if "database" in slow:
            url = url.set(port=self.proxies["database"].port)
        (port,) = free_ports(1)
        folder = self._folder / name
        self.url = f"http://127.0.0.1:{port}"
        self._page = demo(
            port, folder,
            DATABASE_URL=url.render_as_string(hide_password=False),
            MLFLOW_TRACKING_URI=f"http://127.0.0.1:{mlflow_port}",
            DEMO_OPERATOR_KEY=KEY["X-API-Key"],
            GRADIO_TEMP_DIR=str(folder / "uploads"),
        )  # fmt: skip
        try:
            self._answers(10, 5)  # warms it, and lets it take up the registry's
            yield
        finally:
            self._page.stop()
            self._direct.dispose()

    def load(self) -> Period:
        """Ask for predictions at the rate, send corrections now and then, and ask each second whether it is ready."""
        ended, ready = threading.Event(), list[bool]()
        with self._loop(self._rate, self._seconds) as loop, ThreadPoolExecutor(64) as beside:
            beside.submit(self._ask_readiness, ended, ready)
            count = max(2, int(self._seconds / CORRECTIONS_EVERY))
            sent = []
            for _ in range(count):
                drawing = self._drawings.pop()
                sent.append(beside.submit(self._correct, drawing))
                time.sleep(CORRECTIONS_EVERY)
            answers = loop.result()
            ended.set()
            return Period(answers, ready, [future.result() for future in sent])

    def stop(self) -> Stop:
        """Send SIGTERM once the page has answered for two seconds, and wait for its end."""
        answers = self._answers(self._rate, 2)
        return Stop(*self._page.terminate(STOP_TIMEOUT), answers)

    def _answers(self, rate: float, seconds: float) -> list[Answer]:
        with self._loop(rate, seconds) as loop:
            return loop.result()

    def _loop(self, rate: float, seconds: float) -> OpenLoop:
        return OpenLoop(self.url, self._folder / "png", rate, seconds)

    def wait_until_recovered(self, periods: list[Period]) -> float | None:
        """Wait until all that was confirmed is kept and the registry answers. Return how many seconds it took, None if
        it took too long."""
        begin = time.monotonic()
        while time.monotonic() < begin + PATIENCE:
            with httpx.Client(base_url=self.url, headers=KEY, timeout=PATIENCE, trust_env=False) as operator:
                log = operator.get("/api/production-log").status_code
            if log == 200 and self.lost(periods) == (0, 0):
                return time.monotonic() - begin
            time.sleep(0.2)
        return None

    def lost(self, periods: list[Period]) -> tuple[int, int]:
        """Count the confirmed answers and the confirmed corrections that the database does not have."""
        answers = {answer.id for period in periods for answer in period.answers if answer.status == 200}
        corrected = {sent.id for period in periods for sent in period.corrections if sent.confirmed}
        return len(answers - self._kept(predictions)), len(corrected - self._kept(corrections))

    def lost_by(self, stop: Stop) -> Stop:
        """Return the stop with the number of confirmed answers that are lost."""
        lost = {answer.id for answer in stop.answers if answer.status == 200} - self._kept(predictions)
        return replace(stop, lost=len(lost))

    def _kept(self, rows: sa.Table) -> set[str]:
        self._direct.dispose()  # its connections end with a database that is killed
        with self._direct.connect() as connection:
            return set(connection.execute(sa.select(rows.c.request_id)).scalars())

    def _ask_readiness(self, ended: threading.Event, ready: list[bool]) -> None:
        while not ended.wait(1):
            try:
                reply = httpx.get(f"{self.url}/api/ready", timeout=READY_TIMEOUT, trust_env=False)
                ready.append(reply.status_code == 200)
            except httpx.HTTPError:
                ready.append(False)

    def _correct(self, drawing: Path) -> Correction:
        """Have a drawing read and correct the answer, as the page does."""
        identity = ""
        try:
            with httpx.Client(base_url=self.url, timeout=CORRECTION_TIMEOUT, trust_env=False) as client:
                picture = base64.b64encode(drawing.read_bytes()).decode()
                identity = client.post("/api/predict", json={"image": picture}).json()["id"]
                reply = client.post("/api/feedback", json={"id": identity, "label": "3"})
                reason = "" if reply.status_code == 200 else f": {reply.json()['detail']}"
                return Correction(identity, reply.status_code == 200, f"{reply.status_code}{reason}")
        except (httpx.HTTPError, LookupError, ValueError) as error:
            return Correction(identity, False, f"no answer ({type(error).__name__})")


@dataclass(frozen=True)
class Fault:
    """How a fault begins and ends. slow: what the page has to reach through a proxy for it."""

    begin: Callable[[FaultySystem], None]
    end: Callable[[FaultySystem], None]
    slow: Collection[str] = ()


def mlflow_server(folder: Path) -> tuple[Server, int]:
    """Start an MLflow server with an empty store of its own. Return it and its port."""
    (port,) = free_ports(1)
    command = [
        *(sys.executable, "-m", "mlflow", "server", f"--port={port}", "--workers=1", "--serve-artifacts"),
        *(f"--backend-store-uri=sqlite:///{folder}/mlflow.db", f"--artifacts-destination={folder}/mlartifacts"),
    ]
    quick = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return Server(command, f"http://127.0.0.1:{port}/health", quick), port


def _slow(name: str) -> Fault:
    def delay(seconds: float) -> Callable[[FaultySystem], None]:
        return lambda system: setattr(system.proxies[name], "delay", seconds)

    return Fault(delay(DELAY), delay(0), slow=[name])


FAULTS = {
    "database hangs": Fault(lambda system: system.postgres.pause(), lambda system: system.postgres.resume()),
    "database down": Fault(lambda system: system.postgres.kill(), lambda system: system.postgres.start()),
    "database slow": _slow("database"),
    "MLflow hangs": Fault(lambda system: system.mlflow.pause(), lambda system: system.mlflow.resume()),
    "MLflow down": Fault(lambda system: system.mlflow.kill(), lambda system: system.mlflow.start()),
    "MLflow slow": _slow("mlflow"),
}
