"""Retrainings that take no time, and such whose process is lost."""

import time
from functools import partial

import sqlalchemy as sa

from experiments.evaluation.comparison import Difference
from experiments.evaluation.gate import Decision
from experiments.retraining.retrain import RetrainingResult
from experiments.training.progress import Epoch
from serving.learning import retraining_process
from serving.storage import tables
from serving.storage.retrainings import Retrainings
from tests.helpers.corrections import BELIEVING

HEARTBEAT = 0.05  # s
ROW = Difference("validation", 5000, 0.996, 0.997, -0.001, 0.003)
run = partial(retraining_process.run, judge=lambda *_: BELIEVING)


def retrain(promote=True):
    """Stands for minutes of training."""

    def retrain(settings, dataset, accepted, reporter):
        assert (dataset, len(accepted)) == ("mnist", 12)
        assert accepted.data.images.shape == (12, 28, 28, 1)
        assert set(accepted.data.labels) == {1}
        reporter.stage("preparing")
        reporter.stage("training", epochs=2)
        for epoch in (1, 2):
            reporter.batch(epoch, 1, 1)
            reporter.epoch(Epoch(epoch, 0.5 / epoch, 0.9, 0.2, 0.99, epochs=2, seconds=1.0))
        reporter.stage("measuring")
        reporter.measured("run-9", (ROW,))
        reporter.stage("deciding")
        reporter.confirm()
        return RetrainingResult("run-9", "9", Decision(promote, "better" if promote else "worse"), (ROW,))

    return retrain


def train_on():
    """In small steps, as Keras does: an interruption from another thread cuts off no sleep."""
    for _ in range(1000):
        time.sleep(0.02)
    raise AssertionError("nobody interrupted")


def begun(database):
    """A retraining that a trainer has taken."""
    Retrainings(database).request("mnist", 12)
    return Retrainings(database).take()


def lose(database):
    """As if the heartbeats had ceased a while ago, so that another trainer takes it."""
    attempts = tables.retrainings.c.attempts
    with database.engine.begin() as connection:  # at once, lest a heartbeat comes between
        connection.execute(sa.update(tables.retrainings).values(attempts=attempts + 1, state="starting"))
    return Retrainings(database).latest()
