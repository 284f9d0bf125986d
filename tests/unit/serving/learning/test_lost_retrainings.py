"""What becomes of a retraining whose process is lost, or only thought to be."""

import pytest

from experiments.evaluation.comparison import Difference
from experiments.evaluation.gate import Decision
from experiments.retraining.corrections import RetrainingError
from experiments.retraining.retrain import RetrainingResult
from experiments.training.progress import Epoch
from serving.learning.reporter import Reporter
from serving.storage.records import BusyError
from serving.storage.retrainings import Retrainings
from tests.helpers.retrainings import HEARTBEAT, ROW, begun, lose, retrain, run, train_on


def test_one_that_was_begun_is_done_under_its_number(fresh_settings, database, accepted):
    retraining = begun(database)
    with pytest.raises(BusyError):
        run(fresh_settings, "mnist", None, retrain())
    with pytest.raises(RetrainingError, match="is at attempt 1, not 2"):
        run(fresh_settings, "mnist", retraining.id, retrain(), attempt=2)
    assert run(fresh_settings, "mnist", retraining.id, retrain()) == 0
    assert Retrainings(database).get(retraining.id).state == "promoted"
    with pytest.raises(RetrainingError, match="no retraining"):
        run(fresh_settings, "mnist", retraining.id, retrain())


def test_one_that_still_waits_is_nobodys_yet(fresh_settings, database, accepted):
    waiting = Retrainings(database).request("mnist", 12)
    with pytest.raises(RetrainingError, match="no retraining"):
        run(fresh_settings, "mnist", waiting.id, retrain(), attempt=0)


@pytest.mark.parametrize("stage", ["training", "deciding"])
def test_an_attempt_that_wakes_up_after_it_was_given_up_promotes_nothing(
    fresh_settings, database, accepted, stage, capsys
):
    def sleep(fresh_settings, dataset, accepted, reporter):
        if stage == "deciding":
            reporter.stage("deciding")
        lose(database)
        if stage == "training":
            reporter.stage("deciding")
        else:
            reporter.confirm()
        raise AssertionError("it went on")

    assert run(fresh_settings, "mnist", None, sleep, heartbeat=60.0) == 1
    retraining = Retrainings(database).latest()
    assert (retraining.state, retraining.attempts, retraining.is_active) == ("starting", 2, True)


def test_an_attempt_that_is_given_up_while_it_trains_stops(fresh_settings, database, accepted):
    def train(fresh_settings, dataset, accepted, reporter):
        lose(database)
        train_on()

    assert run(fresh_settings, "mnist", None, train, HEARTBEAT) == 1
    assert Retrainings(database).latest().attempts == 2


def test_a_redone_one_says_so_and_goes_on_from_the_corrections(fresh_settings, database, accepted):
    begun(database)
    again = lose(database)
    assert run(fresh_settings, "mnist", again.id, retrain(), attempt=2) == 0
    ended = Retrainings(database).latest()
    assert ended.state == "promoted"
    assert any("Attempt 2 of 3: the process of the one before was lost." in line for line in ended.log)


def test_where_only_the_decision_was_lost_it_alone_is_made_again(fresh_settings, database, accepted):
    first = begun(database)
    reporter = Reporter(Retrainings(database), first, str, HEARTBEAT)
    reporter.stage("training", epochs=1)
    reporter.epoch(Epoch(1, 0.5, 0.9, 0.2, 0.99, epochs=1, seconds=1.0))
    reporter.measured("run-9", (ROW,))
    reporter.stage("deciding")
    reporter.close()
    again, decided = lose(database), []

    def decide(fresh_settings, retraining, reporter):
        decided.append((retraining.run_id, Difference(**retraining.differences[0])))
        reporter.stage("deciding")
        return RetrainingResult("run-9", "9", Decision(True, "better"), (ROW,))

    def train(*_):
        raise AssertionError("it trains again")

    assert run(fresh_settings, "mnist", again.id, train, attempt=2, decide_again=decide) == 0
    ended = Retrainings(database).latest()
    assert decided == [("run-9", ROW)]
    assert (ended.state, ended.version, len(ended.epochs)) == ("promoted", "9", 1)
