import threading
import time

import pytest
import sqlalchemy as sa

from serving.learning.self_starting import start_if_due
from serving.storage.corrections import Corrections
from serving.storage.records import CorrectionFilter
from serving.storage.retrainings import Retrainings
from serving.storage.tables import retrainings
from tests.helpers.corrections import correction


@pytest.fixture
def start(fresh_settings, database):
    """start(retrain_after=12) and the like."""
    return lambda **changes: start_if_due(fresh_settings.model_copy(update=changes), database, "mnist")


def accept(database, numbers):
    Corrections(database).add([correction(number, state="accepted", made_at=time.time()) for number in numbers])


def end(database, hours_ago=0.0):
    """End the retraining that waits, as if it had begun so many hours ago."""
    retraining = Retrainings(database).take()
    Retrainings(database).finish(retraining, "refused", "worse")
    with database.engine.begin() as connection:
        began = {"started_at": time.time() - 3600 * hours_ago}
        connection.execute(sa.update(retrainings).where(retrainings.c.id == retraining.id).values(began))


def test_off_by_default(start, accepted):
    assert start() is None


def test_so_many_new_corrections_start_one_and_not_another(database, start, accepted):
    assert start(retrain_after=13) is None
    started = start(retrain_after=12)
    assert (started.state, started.corrections) == ("queued", 12)
    assert started.log == ["It starts by itself: 12 corrections were accepted since the last one."]
    assert start(retrain_after=12) is None
    end(database)
    assert start(retrain_after=12) is None
    accept(database, range(100, 111))
    assert start(retrain_after=12) is None
    accept(database, [111])
    assert start(retrain_after=12).corrections == 24


def test_every_so_many_hours_if_anything_is_new(database, start, accepted):
    assert start(retrain_every_hours=24)
    end(database, hours_ago=25)
    assert start(retrain_every_hours=24) is not None, "accepted since that one began, by this clock"
    end(database, hours_ago=1)
    accept(database, [100])
    assert start(retrain_every_hours=24) is None
    assert start(retrain_every_hours=0.5).log[0].startswith("It starts by itself, as every 0.5 hours; ")


def test_nothing_new_starts_nothing(database, start, accepted):
    start(retrain_every_hours=24)
    end(database)
    assert start(retrain_every_hours=1e-9) is None


def test_too_few_or_unanswered_ones_start_nothing(database, start):
    accept(database, range(9))
    assert start(retrain_after=1) is None
    accept(database, range(100, 120))
    corrections = Corrections(database)
    corrections.ask([row.id for row in corrections.search(CorrectionFilter("mnist"), 99)][:20])
    assert start(retrain_after=10) is None
    corrections.answer([row.id for row in corrections.search(CorrectionFilter("mnist", unanswered=True), 1)], True)
    assert start(retrain_after=10).corrections == 10


def test_a_review_counts_when_it_is_made(database, start, accepted):
    start(retrain_after=1)
    Corrections(database).add([correction(100)])
    end(database)
    assert start(retrain_after=1) is None
    Corrections(database).review(CorrectionFilter("mnist", state="pending"), "accepted")
    assert start(retrain_after=1).corrections == 13


def test_of_many_at_the_same_moment_one_starts_it(database, start, accepted):
    results, gate = [], threading.Barrier(8)

    def run():
        gate.wait()
        results.append(start(retrain_after=12))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each is not None for each in results) == 1
