"""A retraining as a real process: killed at random moments, cancelled, done; and its lock in a real PostgreSQL."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import sqlalchemy as sa

import model_loader
from benchmarks.learning import extreme_ones
from benchmarks.postgres import Postgres
from experiments import datasets, journal
from experiments.tracking import Store
from serving.corrections import Corrections
from serving.database import Database
from serving.entries import Chosen
from serving.job import SILENCE, BusyError
from serving.jobs import Jobs
from serving.tables import retrainings
from settings import ROOT, Settings
from tests.unit.serving.corrections import correction

KILLS = 4


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
    corrections.review(Chosen("mnist"), "accepted")
    yield database
    database.close()


def right(classifier, split) -> float:
    """The share of images that people are told right; a refusal is not right."""
    answers = classifier.predict(split.images)
    return np.mean([each.label == str(label) for each, label in zip(answers, split.labels, strict=True)])


def start(settings) -> subprocess.Popen:
    places = {
        "ARTIFACT_DIR": str(settings.artifact_dir),
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "serving", "retrain"]
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
        connection.execute(silent.values(seen_at=time.time() - SILENCE - 1))


def test_killed_at_random_moments_nothing_is_lost_and_the_next_learns(settings, database, tmp_path):
    jobs, rng = Jobs(database), random.Random(0)  # noqa: S311 no secret
    for _ in range(KILLS):
        process = start(settings)
        wait_for(jobs, rng.choice(["starting", "preparing", "training"]))
        time.sleep(rng.uniform(0, 5))
        process.kill()
        process.wait()
        with pytest.raises(BusyError):
            jobs.claim("mnist", 20)
        silence(database)
        assert jobs.latest().state == "failed"
        assert Corrections(database).count(Chosen("mnist", state="accepted")) == 20

    assert start(settings).wait() == 0
    job = jobs.latest()
    assert job.state == "promoted", job.reason

    store = Store(settings.mlflow_tracking_uri, settings.artifact_dir)
    assert [each.by for each in journal.promotions(store, datasets.SPECS["mnist"])] == ["start", "gate"]
    elsewhere = Settings(_env_file=None, artifact_dir=tmp_path, mlflow_tracking_uri=f"sqlite:///{tmp_path}/none.db")
    shipped, promoted = (model_loader.load("mnist", each) for each in (elsewhere, settings))
    assert np.mean([each.label == "1" for each in promoted.predict(extreme_ones(100, 2))]) >= 0.95
    test = datasets.load("mnist", settings.data_dir).test
    before, after = (right(classifier, test) for classifier in (shipped, promoted))
    assert after > before - 0.001


@pytest.mark.parametrize("how", ["cancel", signal.SIGTERM])
def test_ended_cleanly(settings, database, how):
    jobs = Jobs(database)
    process = start(settings)
    wait_for(jobs, "training")
    if how == "cancel":
        assert jobs.cancel() is not None
    else:
        process.send_signal(how)
    assert process.wait() == 1
    assert jobs.latest().state == "cancelled"


@pytest.fixture(scope="module")
def postgres():
    try:
        server = Postgres()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    server.create("jobs")
    yield f"{server.url}/jobs"
    server.stop()


def test_in_postgresql_too_one_of_many_starts(postgres):
    databases, started, refused = [Database(postgres) for _ in range(6)], [], []
    for database in databases:
        assert Jobs(database).latest() is None
    gate = threading.Barrier(len(databases))

    def claim(database):
        gate.wait()
        try:
            started.append(Jobs(database).claim("mnist", 20))
        except BusyError as error:
            refused.append(error.job)

    threads = [threading.Thread(target=claim, args=[database]) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (job,) = started
    assert refused == [job.id] * 5
    jobs = Jobs(databases[0])
    assert not jobs.beat(job.id, state="training", epochs=[{"epoch": 1}], log=["a"], progress=0.5, remaining=None)
    assert jobs.cancel().id == job.id
    assert jobs.beat(job.id)
    assert not jobs.point_of_no_return(job.id)
    jobs.end(job.id, "cancelled", "as asked", differences=[{"group": "validation"}])
    assert jobs.latest().differences == [{"group": "validation"}]
    for database in databases:
        database.close()
