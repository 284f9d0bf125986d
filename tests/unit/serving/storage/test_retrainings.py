import threading
import time

import pytest
import sqlalchemy as sa

from serving.storage import tables
from serving.storage.records import HEARTBEAT_TIMEOUT, AbandonedError, BusyError
from serving.storage.retrainings import Retrainings


@pytest.fixture
def retrainings(database):
    return Retrainings(database)


def silence(database, retraining):
    """As if its process had been killed a while ago."""
    with database.engine.begin() as connection:
        row = sa.update(tables.retrainings).where(tables.retrainings.c.id == retraining.id)
        connection.execute(row.values(seen_at=time.time() - HEARTBEAT_TIMEOUT - 1))


def test_one_runs_at_a_time_and_the_second_learns_its_id(retrainings):
    retraining = retrainings.claim("mnist", 20)
    assert (retraining.state, retraining.is_active, retraining.corrections) == ("starting", True, 20)
    with pytest.raises(BusyError, match=f"Retraining {retraining.id} ") as refused:
        retrainings.claim("cifar10", 30)
    assert refused.value.retraining_id == retraining.id
    retrainings.finish(retraining.id, "refused", "worse", version="4", differences=[{"group": "validation"}])
    ended = retrainings.get(retraining.id)
    assert (ended.state, ended.reason, ended.version, ended.is_active) == ("refused", "worse", "4", False)
    assert retrainings.claim("mnist", 20).id != retraining.id


def test_of_many_that_start_together_one_does(database):
    started, refused, gate = [], [], threading.Barrier(8)

    def start():
        retrainings = Retrainings(database)
        gate.wait()
        try:
            started.append(retrainings.claim("mnist", 20).id)
        except BusyError as error:
            refused.append(error.retraining_id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert refused == started * 7


def test_silence_means_nothing_while_the_database_may_have_been_away_for_its_process_too(database, retrainings):
    retraining = retrainings.claim("mnist", 20)
    silence(database, retraining)
    assert Retrainings(database, trust_silence=False).latest().is_active
    assert not retrainings.heartbeat(retraining.id)
    assert retrainings.latest().is_active


def test_thirty_seconds_without_a_heartbeat_mean_failed_and_the_next_can_start(database, retrainings):
    retraining = retrainings.claim("mnist", 20)
    retrainings.heartbeat(retraining.id, state="training", progress=0.4)
    silence(database, retraining)
    assert retrainings.latest().state == "failed"
    after = retrainings.claim("mnist", 20)
    with pytest.raises(AbandonedError, match="given up"):
        retrainings.heartbeat(retraining.id, progress=0.5)
    retrainings.finish(retraining.id, "promoted", "late")
    assert (retrainings.get(retraining.id).state, retrainings.get(after.id).state) == ("failed", "starting")
    assert not retrainings.begin_decision(retraining.id)


def test_a_heartbeat_carries_what_has_changed(retrainings):
    retraining = retrainings.claim("mnist", 20)
    epochs = [{"epoch": 1, "epochs": 4, "loss": 0.5, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.99}]
    changes = {"state": "training", "progress": 0.3, "remaining": 40.0, "epochs": epochs, "log": ["Training"]}
    assert not retrainings.heartbeat(retraining.id, **changes)
    updated = retrainings.latest("mnist")
    assert (updated.state, updated.progress, updated.remaining, updated.epochs, updated.log) == (
        "training", 0.3, 40.0, epochs, ["Training"]
    )  # fmt: skip
    assert updated.seen_at > retraining.seen_at
    assert retrainings.latest("cifar10") is None


def test_cancelling_reaches_the_retraining_until_it_decides(retrainings):
    assert retrainings.cancel() is None
    retraining = retrainings.claim("mnist", 20)
    assert retrainings.cancel().id == retraining.id
    assert retrainings.heartbeat(retraining.id)
    assert not retrainings.begin_decision(retraining.id)
    retrainings.finish(retraining.id, "cancelled", "as asked")
    late = retrainings.claim("mnist", 20)
    assert retrainings.begin_decision(late.id)
    assert retrainings.cancel() is None
    assert retrainings.get(late.id).state == "deciding"
