import signal
import threading
import time
from functools import partial

import pytest

from experiments.evaluation.gate import Decision
from experiments.registry.store import RegistryError
from experiments.retraining.corrections import RetrainingError
from experiments.retraining.retrain import RetrainingResult
from serving.learning import retraining_process
from serving.learning.reporter import Reporter
from serving.learning.retraining_requests import learnable_count
from serving.storage.corrections import Corrections
from serving.storage.records import CorrectionFilter
from serving.storage.retrainings import Retrainings
from tests.helpers.corrections import SURE_OF_SEVEN, correction
from tests.helpers.retrainings import HEARTBEAT, begun, retrain, run, train_on


@pytest.mark.parametrize(("promote", "state", "reason"), [(True, "promoted", "better"), (False, "refused", "worse")])
def test_what_came_of_it_is_in_the_database(fresh_settings, database, accepted, promote, state, reason):
    assert run(fresh_settings, "mnist", None, retrain(promote)) == 0
    retraining = Retrainings(database).latest()
    assert (retraining.state, retraining.reason, retraining.version, retraining.run_id, retraining.corrections) == (
        state,
        reason,
        "9",
        "run-9",
        12,
    )
    assert [(epoch["epoch"], epoch["loss"]) for epoch in retraining.epochs] == [(1, 0.5), (2, 0.25)]
    assert retraining.differences[0]["group"] == "validation"
    assert any("Epoch 2 of 2: loss 0.250, 99.00 % on validation" in line for line in retraining.log)
    assert Retrainings(database).claim("mnist", 12)


def test_without_an_answer_nothing_contradicting_is_learnt(fresh_settings, database, accepted):
    doubting = partial(retraining_process.run, judge=lambda *_: SURE_OF_SEVEN)
    assert doubting(fresh_settings, "mnist", None, retrain()) == 0
    retraining = Retrainings(database).latest()
    assert retraining.state == "refused"
    assert "12 corrections of 1 client call 1 what the model is 99 % sure is 7" in retraining.reason
    with pytest.raises(RetrainingError, match=r"there are 0.* 12 more are not learnt before you have said"):
        learnable_count(database, "mnist")


def test_the_rest_is_learnt_without_those_that_contradict(fresh_settings, database, accepted):
    corrections = Corrections(database)
    corrections.add([correction(number, proposed="7", state="accepted") for number in range(100, 115)])
    learnt = []

    def learn(fresh_settings, dataset, accepted, reporter):
        learnt.extend(accepted.data.labels.tolist())
        return RetrainingResult("run-9", "9", Decision(False, "worse"), ())

    doubting = partial(retraining_process.run, judge=lambda *_: SURE_OF_SEVEN)
    assert doubting(fresh_settings, "mnist", None, learn) == 0
    retraining = Retrainings(database).latest()
    assert learnt == [7] * 15
    assert retraining.corrections == 15
    assert any("Left out until that is answered: 12 corrections" in line for line in retraining.log)
    asked = corrections.search(CorrectionFilter("mnist", unanswered=True), 99)
    corrections.answer([row.id for row in asked], right=True)
    assert doubting(fresh_settings, "mnist", None, learn) == 0
    assert sorted(learnt) == [1] * 12 + [7] * 30
    assert any("12 that were asked about are learnt, confirmed" in line for line in Retrainings(database).latest().log)


def test_too_few_corrections_start_nothing(fresh_settings, database):
    with pytest.raises(RetrainingError, match="needs 10 accepted corrections; there are 0"):
        run(fresh_settings, "mnist", None, retrain())
    assert Retrainings(database).latest() is None


@pytest.mark.parametrize(
    ("error", "message"),
    [(RetrainingError("Accept more first."), "Accept more first."), (ZeroDivisionError(), "fault")],
)
def test_a_failure_is_worded_and_the_next_can_start(fresh_settings, database, accepted, error, message):
    def break_off(*_):
        raise error

    assert run(fresh_settings, "mnist", None, break_off) == 1
    retraining = Retrainings(database).latest()
    assert retraining.state == "failed"
    assert message in retraining.reason
    assert Corrections(database).count(CorrectionFilter("mnist", state="accepted")) == 12
    assert run(fresh_settings, "mnist", None, retrain()) == 0


def test_no_secret_is_kept_with_a_retraining(fresh_settings, database, accepted, capsys):
    def break_off(fresh_settings, dataset, accepted, reporter):
        reporter.log("Asking https://ann:never-kept@mlflow.example")
        raise RegistryError("No answer from https://ann:never-kept@mlflow.example")

    exposed = fresh_settings.model_copy(update={"mlflow_tracking_uri": "https://ann:never-kept@mlflow.example"})
    assert run(exposed, "mnist", None, break_off) == 1
    retraining = Retrainings(database).latest()
    assert retraining.reason == "No answer from https://ann:***@mlflow.example"
    assert "never-kept" not in "".join(retraining.log) + capsys.readouterr().out


def test_cancelling_interrupts_the_training(fresh_settings, database, accepted):
    def wait(fresh_settings, dataset, accepted, reporter):
        reporter.stage("training", epochs=1)
        threading.Timer(0.1, Retrainings(database).cancel).start()
        train_on()

    assert run(fresh_settings, "mnist", None, wait, HEARTBEAT) == 1
    retraining = Retrainings(database).latest()
    assert (retraining.state, retraining.reason) == ("cancelled", "It was cancelled. Nothing has changed.")


def cancelled(database, break_off):
    """A training that is cancelled; `break_off` is what it still does when it is interrupted."""

    def train(fresh_settings, dataset, accepted, reporter):
        reporter.stage("training", epochs=1)
        threading.Timer(0.1, Retrainings(database).cancel).start()
        try:
            train_on()
        except KeyboardInterrupt:
            break_off()
            raise

    return train


def test_a_library_that_makes_another_error_of_the_interruption_fails_nothing(fresh_settings, database, accepted):
    def cut_off():
        raise ImportError("numpy.core.multiarray failed to import") from None

    assert run(fresh_settings, "mnist", None, cancelled(database, cut_off), HEARTBEAT) == 1
    assert Retrainings(database).latest().state == "cancelled"


def test_a_slow_interruption_is_not_given_up(fresh_settings, database, accepted):
    def wait_for_a_heartbeat():
        cut_off_at = Retrainings(database).latest().seen_at
        while Retrainings(database).latest().seen_at == cut_off_at:
            time.sleep(0.02)

    assert run(fresh_settings, "mnist", None, cancelled(database, wait_for_a_heartbeat), HEARTBEAT) == 1
    assert Retrainings(database).latest().state == "cancelled"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_its_handler_is_put_back(fresh_settings, database, accepted, number):
    before = signal.getsignal(number)
    assert run(fresh_settings, "mnist", None, lambda *_: signal.raise_signal(number)) == 1
    assert Retrainings(database).latest().state == "cancelled"
    assert signal.getsignal(number) == before


def test_cancelled_in_time_nothing_is_decided(fresh_settings, database, accepted):
    def decide(fresh_settings, dataset, accepted, reporter):
        Retrainings(database).cancel()
        reporter.stage("deciding")
        raise AssertionError("it went on")

    assert run(fresh_settings, "mnist", None, decide) == 1
    assert Retrainings(database).latest().state == "cancelled"


def test_progress_and_the_time_left_follow_the_batches(fresh_settings, database, accepted):
    retraining = begun(database)
    reporter = Reporter(Retrainings(database), retraining, str, heartbeat=0.01)
    reporter.stage("training", epochs=4)
    shares = []
    for epoch, done in ((1, 0), (1, 5), (4, 10)):
        reporter.batch(epoch, done, 10)
        time.sleep(0.1)
        shares.append(Retrainings(database).latest().progress)
    reporter.close()
    assert shares == pytest.approx([0.25, 0.3, 0.65])
    assert Retrainings(database).latest().remaining > 0
