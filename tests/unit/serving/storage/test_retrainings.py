import threading
import time

import pytest
import sqlalchemy as sa

from serving.storage.records import HEARTBEAT_TIMEOUT, AbandonedError, BusyError
from serving.storage.retrainings import Retrainings
from serving.storage.tables import retrainings


@pytest.fixture
def jobs(database):
    return Retrainings(database)


def silence(database, job):
    """As if its process had been killed a while ago."""
    with database.engine.begin() as connection:
        row = sa.update(retrainings).where(retrainings.c.id == job.id)
        connection.execute(row.values(seen_at=time.time() - HEARTBEAT_TIMEOUT - 1))


def test_one_runs_at_a_time_and_the_second_is_told_its_id(jobs):
    job = jobs.claim("mnist", 20)
    assert (job.state, job.is_active, job.corrections) == ("starting", True, 20)
    with pytest.raises(BusyError, match=f"Retraining {job.id} ") as refused:
        jobs.claim("cifar10", 30)
    assert refused.value.retraining_id == job.id
    jobs.finish(job.id, "refused", "worse", version="4", differences=[{"group": "validation"}])
    ended = jobs.get(job.id)
    assert (ended.state, ended.reason, ended.version, ended.is_active) == ("refused", "worse", "4", False)
    assert jobs.claim("mnist", 20).id != job.id


def test_of_many_that_start_together_one_does(database):
    started, refused, gate = [], [], threading.Barrier(8)

    def start():
        jobs = Retrainings(database)
        gate.wait()
        try:
            started.append(jobs.claim("mnist", 20).id)
        except BusyError as error:
            refused.append(error.retraining_id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert refused == started * 7


def test_thirty_seconds_of_silence_mean_failed_and_the_next_can_start(database, jobs):
    job = jobs.claim("mnist", 20)
    jobs.heartbeat(job.id, state="training", progress=0.4)
    silence(database, job)
    assert jobs.latest().state == "failed"
    after = jobs.claim("mnist", 20)
    with pytest.raises(AbandonedError, match="given up"):
        jobs.heartbeat(job.id, progress=0.5)
    jobs.finish(job.id, "promoted", "late")
    assert (jobs.get(job.id).state, jobs.get(after.id).state) == ("failed", "starting")
    assert not jobs.begin_decision(job.id)


def test_a_sign_of_life_carries_what_is_new(jobs):
    job = jobs.claim("mnist", 20)
    epochs = [{"epoch": 1, "epochs": 4, "loss": 0.5, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.99}]
    assert not jobs.heartbeat(job.id, state="training", progress=0.3, remaining=40.0, epochs=epochs, log=["Training"])
    seen = jobs.latest("mnist")
    assert (seen.state, seen.progress, seen.remaining, seen.epochs, seen.log) == (
        "training", 0.3, 40.0, epochs, ["Training"]
    )  # fmt: skip
    assert seen.seen_at > job.seen_at
    assert jobs.latest("cifar10") is None


def test_cancelling_reaches_the_job_until_it_decides(jobs):
    assert jobs.cancel() is None
    job = jobs.claim("mnist", 20)
    assert jobs.cancel().id == job.id
    assert jobs.heartbeat(job.id)
    assert not jobs.begin_decision(job.id)
    jobs.finish(job.id, "cancelled", "as asked")
    late = jobs.claim("mnist", 20)
    assert jobs.begin_decision(late.id)
    assert jobs.cancel() is None
    assert jobs.get(late.id).state == "deciding"
