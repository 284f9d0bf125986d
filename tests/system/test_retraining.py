"""A retraining as a real process: killed at random moments, alone or with the app, cancelled, done; and its lock in a
real PostgreSQL."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import psutil
import pytest
import sqlalchemy as sa

import model_loader
from benchmarks.learning import extreme_ones
from benchmarks.peers import demo
from benchmarks.processes import free_ports
from experiments.data import datasets, specs
from experiments.registry import promotions
from experiments.registry.store import TrackingStore
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import HEARTBEAT_TIMEOUT, BusyError, CorrectionFilter
from serving.storage.retrainings import Retrainings
from serving.storage.tables import retrainings
from settings import ROOT, Settings
from tests.helpers.corrections import correction

QUICK, REAL = "tests.helpers.quick_retraining", "serving retrain"
SOAK = pytest.mark.soak
KILLS = [["retraining"], ["app"], ["app", "retraining"]]
KEY = "of the operator"
ROUNDS = 2  # of the soak


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    if not (ROOT / "data" / "mnist.npz").exists():
        pytest.skip("MNIST is not cached in data/")
    places = {"artifact_dir": folder, "mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.db'}"}
    return Settings(_env_file=None, **places)


@pytest.fixture(scope="module")
def database(settings):
    database = Database(f"sqlite:///{settings.artifact_dir / 'history.db'}")
    corrections = Corrections(database)
    images = extreme_ones(20, 1)
    corrections.add([correction(number, image=image.tobytes()) for number, image in enumerate(images)])
    corrections.review(CorrectionFilter("mnist"), "accepted")
    yield database
    database.close()


def right(classifier, split) -> float:
    """The share of images with the right answer; a rejected one is not right."""
    predictions = classifier.predict(split.images)
    return np.mean(
        [prediction.label == str(label) for prediction, label in zip(predictions, split.labels, strict=True)]
    )


def start(settings, program) -> subprocess.Popen:
    places = {
        "DEMO_ARTIFACT_DIR": str(settings.artifact_dir),
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", *program.split()]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | places, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for(jobs, *states):
    while (job := jobs.latest()) is None or job.state not in states:
        time.sleep(0.2)
    return job


def silence(database):
    """Thirty seconds later."""
    with database.engine.begin() as connection:
        silent = sa.update(retrainings).where(retrainings.c.active == 1)
        connection.execute(silent.values(seen_at=time.time() - HEARTBEAT_TIMEOUT - 1))


def processes_of(job, settings) -> list[psutil.Process]:
    """Of this project alone: another test, beside this one, may have a retraining of the same number."""
    expected = {"cmdline": ["--job", str(job.id)], "environ": str(settings.artifact_dir)}
    return [
        process
        for process in psutil.process_iter(list(expected))
        if (process.info["cmdline"] or [])[-2:] == expected["cmdline"]
        and (process.info["environ"] or {}).get("DEMO_ARTIFACT_DIR") == expected["environ"]
    ]


def ask(port, path, body=None):
    headers = {"Content-Type": "application/json", "X-API-Key": KEY}
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)) as reply:
        return json.load(reply)


def post(port, path):
    """As soon as the database answers: a busy machine takes a while to open it after a start."""
    while True:
        try:
            ask(port, "/api/retrain/status")
            return ask(port, path, b"{}")
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(1)


@pytest.fixture(scope="module")
def app(settings):
    (port,) = free_ports(1)
    variables = {"MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri, "DEMO_OPERATOR_KEY": KEY}
    server = demo(port, settings.artifact_dir, **variables)
    server.port = port
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("victims", "stage"),
    [*zip(KILLS, ["preparing", "preparing", "training"], strict=True)]
    + [pytest.param(*each, marks=SOAK) for each in itertools.product(KILLS * ROUNDS, ["preparing", "training"])],
    ids=lambda each: each if isinstance(each, str) else "-".join(each),
)
def test_killed_at_a_random_moment_nothing_is_lost(settings, database, app, victims, stage):
    jobs, rng = Retrainings(database), random.Random()  # noqa: S311 no secret
    started = post(app.port, "/api/retrain")["id"]
    job = wait_for(jobs, stage)
    time.sleep(rng.uniform(0, 3))
    (process,) = processes_of(job, settings)
    if "app" in victims:
        app.kill()
    if "retraining" in victims:
        process.kill()
        with pytest.raises(BusyError):
            jobs.claim("mnist", 20)
        silence(database)
    if "app" in victims:
        app.start()
    if "retraining" in victims:  # the app, or the new one, does it again; else it outlives the app
        while (job := jobs.get(started)).attempts < 2:
            time.sleep(0.2)
    post(app.port, "/api/retrain/cancel")
    assert wait_for(jobs, "cancelled").id == started
    assert Corrections(database).count(CorrectionFilter("mnist", state="accepted")) == 20


@pytest.mark.parametrize(("program", "learnt"), [(QUICK, 0.9), pytest.param(REAL, 0.95, marks=SOAK)])
def test_the_next_learns_and_forgets_nothing(settings, database, tmp_path, program, learnt):
    assert start(settings, program).wait() == 0
    job = Retrainings(database).latest()
    assert job.state == "promoted", job.reason

    store = TrackingStore.of(settings)
    assert [each.by for each in promotions.history(store, specs.SPECS["mnist"])] == ["start", "gate"]
    elsewhere = Settings(_env_file=None, artifact_dir=tmp_path, mlflow_tracking_uri=f"sqlite:///{tmp_path}/none.db")
    shipped, promoted = (model_loader.load("mnist", each) for each in (elsewhere, settings))
    assert np.mean([each.label == "1" for each in promoted.predict(extreme_ones(100, 2))]) >= learnt
    test = datasets.load("mnist", settings.data_dir).test
    before, after = (right(classifier, test) for classifier in (shipped, promoted))
    assert after > before - 0.001


@pytest.mark.parametrize("program", [QUICK, pytest.param(REAL, marks=SOAK)])
@pytest.mark.parametrize("how", ["cancel", signal.SIGTERM])
def test_ended_cleanly(settings, database, how, program):
    jobs = Retrainings(database)
    process = start(settings, program)
    wait_for(jobs, "training")
    if how == "cancel":
        assert jobs.cancel() is not None
    else:
        process.send_signal(how)
    assert process.wait() == 1
    assert jobs.latest().state == "cancelled"


def test_in_postgresql_too_one_of_many_starts(postgresql):
    databases, started, refused = [Database(postgresql) for _ in range(6)], [], []
    for database in databases:
        assert Retrainings(database).latest() is None
    gate = threading.Barrier(len(databases))

    def claim(database):
        gate.wait()
        try:
            started.append(Retrainings(database).claim("mnist", 20))
        except BusyError as error:
            refused.append(error.retraining_id)

    threads = [threading.Thread(target=claim, args=[database]) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (job,) = started
    assert refused == [job.id] * 5
    jobs = Retrainings(databases[0])
    assert not jobs.heartbeat(job, state="training", epochs=[{"epoch": 1}], log=["a"], progress=0.5, remaining=None)
    assert jobs.cancel().id == job.id
    assert jobs.heartbeat(job)
    assert not jobs.begin_decision(job)
    jobs.finish(job, "cancelled", "as asked", differences=[{"group": "validation"}])
    assert jobs.latest().differences == [{"group": "validation"}]
    for database in databases:
        database.close()
