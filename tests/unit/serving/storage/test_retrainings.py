import threading
import time

import pytest
import sqlalchemy as sa

from serving.storage import tables
from serving.storage.database import create_engine, migrate
from serving.storage.records import HEARTBEAT_TIMEOUT, MAX_ATTEMPTS, AbandonedError, BusyError
from serving.storage.retrainings import Retrainings


@pytest.fixture
def retrainings(database):
    return Retrainings(database)


def silence(database, retraining):
    """As if its process had been killed a while ago."""
    with database.engine.begin() as connection:
        row = sa.update(tables.retrainings).where(tables.retrainings.c.id == retraining.id)
        connection.execute(row.values(seen_at=time.time() - HEARTBEAT_TIMEOUT - 1))


def together(count, function):
    """The results of so many threads that begin at the same moment; None for BusyError."""
    results, gate = [], threading.Barrier(count)

    def run():
        gate.wait()
        try:
            results.append(function())
        except BusyError:
            results.append(None)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_data_set_has_one_at_a_time_and_the_second_learns_its_id(retrainings):
    retraining = retrainings.claim("mnist", 20)
    assert (retraining.state, retraining.is_active, retraining.corrections) == ("starting", True, 20)
    with pytest.raises(BusyError, match=f"Retraining {retraining.id} ") as refused:
        retrainings.request("mnist", 30)
    assert refused.value.retraining_id == retraining.id
    other = retrainings.request("cifar10", 30)
    assert retrainings.latest().id == other.id
    retrainings.finish(retraining, "refused", "worse", version="4", differences=[{"group": "validation"}])
    ended = retrainings.get(retraining.id)
    assert (ended.state, ended.reason, ended.version, ended.is_active) == ("refused", "worse", "4", False)
    assert retrainings.claim("mnist", 20).id != retraining.id


def test_of_many_that_start_together_one_does(database):
    retrainings = [Retrainings(database) for _ in range(8)]
    results = together(8, lambda: retrainings.pop().claim("mnist", 20))
    assert sum(each is not None for each in results) == 1


def test_one_that_was_asked_for_waits_until_one_of_many_takes_it(database, retrainings):
    asked = retrainings.request("mnist", 20, log=["by itself"])
    assert (asked.state, asked.attempts, asked.is_waiting, asked.log) == ("queued", 0, True, ["by itself"])
    taken = [each for each in together(8, Retrainings(database).take) if each is not None]
    assert [(each.id, each.state, each.attempts, each.is_waiting) for each in taken] == [
        (asked.id, "starting", 1, False)
    ]
    assert retrainings.take() is None
    assert not retrainings.heartbeat(taken[0])
    with pytest.raises(AbandonedError):
        retrainings.heartbeat(asked)


def test_those_that_wait_are_taken_in_their_order(retrainings):
    asked = [retrainings.request(dataset, 20).id for dataset in ("mnist", "cifar10")]
    assert [retrainings.take().id, retrainings.take().id] == asked


def test_silence_means_nothing_while_the_database_may_have_been_away_for_its_process_too(database, retrainings):
    retraining = retrainings.claim("mnist", 20)
    silence(database, retraining)
    assert Retrainings(database, trust_silence=False).take() is None
    assert not retrainings.heartbeat(retraining)
    assert retrainings.take() is None


def test_what_lost_its_process_is_done_again_twice_and_then_fails(database, retrainings):
    attempt = retrainings.claim("mnist", 20)
    for number in range(2, MAX_ATTEMPTS + 1):
        retrainings.heartbeat(attempt, state="training", progress=0.4)
        silence(database, attempt)
        assert retrainings.latest().is_waiting
        lost, attempt = attempt, retrainings.take()
        assert (attempt.id, attempt.attempts, attempt.state, attempt.progress) == (lost.id, number, "starting", 0.0)
        with pytest.raises(AbandonedError, match="no heartbeat for 30 s"):
            retrainings.heartbeat(lost, progress=0.5)
        assert not retrainings.begin_decision(lost)
        retrainings.finish(lost, "promoted", "late")
        assert retrainings.get(lost.id).state == "starting"
    silence(database, attempt)
    assert retrainings.take() is None
    ended = retrainings.latest()
    assert (ended.state, ended.is_waiting) == ("failed", False)
    assert "last of 3 attempts" in ended.reason
    assert retrainings.claim("mnist", 20).id != ended.id


def test_what_is_put_back_is_begun_as_if_it_had_not_been(retrainings):
    retrainings.request("mnist", 20)
    first = retrainings.take()
    retrainings.put_back(first)
    with pytest.raises(AbandonedError):
        retrainings.heartbeat(first)
    again = retrainings.take()
    assert (again.id, again.attempts) == (first.id, 1)


def test_another_attempt_has_what_the_decision_is_made_by(database, retrainings):
    retraining = retrainings.claim("mnist", 20)
    row = {"group": "validation"}
    assert retrainings.begin_decision(retraining, run_id="run-9", differences=[row])
    silence(database, retraining)
    again = retrainings.take()
    assert (again.run_id, again.differences, again.attempts) == ("run-9", [row], 2)
    retrainings.put_back(again)
    assert retrainings.cancel() is None, "a decision can't be cancelled, also while it waits to be repeated"


def test_a_heartbeat_carries_what_has_changed(retrainings):
    retraining = retrainings.claim("mnist", 20)
    epochs = [{"epoch": 1, "epochs": 4, "loss": 0.5, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.99}]
    changes = {"state": "training", "progress": 0.3, "remaining": 40.0, "epochs": epochs, "log": ["Training"]}
    assert not retrainings.heartbeat(retraining, **changes)
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
    assert retrainings.heartbeat(retraining)
    assert not retrainings.begin_decision(retraining)
    retrainings.finish(retraining, "cancelled", "as asked")
    late = retrainings.claim("mnist", 20)
    assert retrainings.begin_decision(late)
    assert retrainings.cancel() is None
    assert retrainings.get(late.id).state == "deciding"


def test_what_waits_is_cancelled_at_once(database, retrainings):
    for begin in (lambda: None, lambda: silence(database, retrainings.take())):
        asked = retrainings.request("mnist", 20)
        begin()
        ended = retrainings.cancel("mnist")
        assert (ended.id, ended.state, ended.cancelled) == (asked.id, "cancelled", True)
        assert retrainings.take() is None


def test_what_was_cancelled_before_its_process_was_lost_is_not_done_again(database, retrainings):
    retraining = retrainings.claim("mnist", 20)
    retrainings.cancel()
    silence(database, retraining)
    assert retrainings.take() is None
    assert retrainings.latest().state == "cancelled"


def test_of_two_the_one_that_is_meant_is_cancelled(retrainings):
    mnist, cifar10 = retrainings.claim("mnist", 20), retrainings.claim("cifar10", 20)
    assert retrainings.cancel("mnist").id == mnist.id
    assert not retrainings.heartbeat(cifar10)
    assert retrainings.cancel().id == cifar10.id


def test_what_is_asked_for_after_the_last_one_is_asked_for_once(database, retrainings):
    results = together(8, lambda: Retrainings(database).request("mnist", 20, last=0))
    (asked,) = (each for each in results if each is not None)
    retrainings.cancel()
    with pytest.raises(BusyError):
        retrainings.request("mnist", 20, last=0)
    assert retrainings.request("mnist", 20, last=asked.id)


def test_a_trainer_shows_itself(retrainings):
    assert retrainings.trainer_seen_at() is None
    for _ in range(2):
        before = time.time()
        retrainings.show_trainer()
        assert before <= retrainings.trainer_seen_at() <= time.time()


def test_an_older_database_keeps_its_retrainings(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'history.db'}")
    migrate(engine, "0007")
    row = (
        "INSERT INTO retrainings (active, cancelled, dataset, state, started_at, seen_at, progress, corrections, "
        "epochs, log, reason, version, run_id, differences) "
        "VALUES ({}, 0, 'mnist', '{}', 1, 1, 0.5, 20, '[]', '[]', '', '', '', '[]')"
    )
    with engine.begin() as connection:
        for active, state in (("NULL", "refused"), ("1", "training")):
            connection.exec_driver_sql(row.format(active, state))
    migrate(engine)
    with engine.begin() as connection:
        assert connection.execute(sa.select(tables.retrainings.c.attempts)).scalars().all() == [1, 1]
        connection.exec_driver_sql(row.format("1", "training").replace("mnist", "cifar10"))
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(row.format("1", "training"))
    engine.dispose()
