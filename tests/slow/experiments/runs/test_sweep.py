"""A sweep on a tiny data set: trials nested in MLflow, the best trained in full, registered and judged by the gate."""

import dataclasses
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FixedTrial, TrialState

from experiments.data.specs import SPECS
from experiments.data.synthesis.generate import Amounts
from experiments.runs import sweep as sweeps
from experiments.runs.search import Search, Trials
from experiments.runs.sweep import sweep
from experiments.runs.table import search, table
from experiments.runs.trials import Pace, SweepError, open_study, work
from experiments.training.augmentation import unchanged, warp
from tests.helpers.tiny_runs import prepare_held_out, tiny_dataset, tiny_network

ROW = dataclasses.replace(table("mnist")[2], build=tiny_network, extra=Amounts(8, 8, 8), batch_size=8, epochs=1)
SEARCH = Search(
    row=ROW,
    builds=(tiny_network,),
    augments=(unchanged, warp),
    most=Amounts(drawn=16, restyled=16),
    batch_sizes=(8, 16),
    epochs=1,
    images=60,
    drawings=20,
)
PACE = Pace(heartbeat=1, grace=4)


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'sweeps.db'}"


def test_the_best_of_the_trials_is_trained_in_full_and_judged(store, tmp_path, url) -> None:
    result = sweep(SEARCH, tiny_dataset(), store, Path("none"), url, 4, pace=PACE, prepare_held_out=prepare_held_out)
    *trials, parent = sorted(store.runs("mnist-sweeps"), key=lambda run: run.tags.get("trial", "parent"))
    assert [run.name for run in trials] == [f"trial {number}" for number in range(4)]
    assert {run.status for run in (*trials, parent)} == {"FINISHED"}
    for run in trials:
        nested = store.client.get_run(run.run_id).data.tags["mlflow.parentRunId"]
        assert nested == parent.run_id
        assert "score" in run.metrics or run.metrics["pruned"] == 1
        assert not [name for name in run.metrics if name.startswith("test")]
    assert trials[0].params["learning_rate"] == str(ROW.learning_rate), "the row's own choice is the first"
    assert {item.path for item in store.client.list_artifacts(parent.run_id)} == {"sweep.json", "sweep.png"}

    (run,) = store.runs("mnist")
    best = max(trials, key=lambda run: run.metrics.get("score", 0))
    assert (run.name, run.version, result.decision.promote) == ("sweep", "1", True)
    assert run.params["learning_rate"] == best.params["learning_rate"]
    assert parent.metrics["best_score"] == best.metrics["score"]

    again = sweep(SEARCH, tiny_dataset(), store, Path("none"), url, 4, pace=PACE, prepare_held_out=prepare_held_out)
    assert again.best.run_id == run.run_id
    assert len(store.runs("mnist-sweeps")) == 5


def test_a_trial_trains_on_a_part_of_the_data_and_as_large_a_part_of_the_made_images() -> None:
    dataset = tiny_dataset()
    tried = Trials(SEARCH, dataset)
    choice = SEARCH.known() | {"drawn": 16, "restyled": 4}
    trial = FixedTrial(choice, number=3)
    config = tried.configuration(trial)
    assert (config.name, config.epochs) == ("trial 3", 1)
    assert config.extra == Amounts(drawn=8, restyled=2, non_digits=4)
    made = tried._made(config.extra)
    assert np.array_equal(made.labels[10:], [10, 10, 10, 10])
    assert np.array_equal(made.images[8:10], tried._pool.images[8:10]), "restyled ones come after eight drawn ones"
    assert len(tried._dataset.train.labels) == 60
    assert len(tried._dataset.test.labels) == 0


@pytest.mark.parametrize("dataset", SPECS)
def test_the_rows_own_choice_is_one_of_those_searched(dataset) -> None:
    searched, row = search(dataset), table(dataset)[2]
    config = searched.suggest(FixedTrial(searched.known()), row.name)
    assert config == row


def test_a_worse_trial_is_pruned_and_counts(url) -> None:
    study, _ = open_study(url, "pruned", lambda _: None, PACE)

    def objective(trial):
        trial.suggest_float("x", 0, 1)
        trial.report(1 - trial.number / 10, 1)
        if trial.should_prune():
            raise optuna.TrialPruned
        return 1 - trial.number / 10

    assert work(study, objective, 7, pace=PACE)
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.COMPLETE] * 4 + [TrialState.PRUNED] * 3


def test_an_interrupted_trial_is_the_next_and_one_that_fails_thrice_is_given_up(url) -> None:
    study, _ = open_study(url, "failing", lambda _: None, PACE)
    tries = []

    def objective(trial):
        tries.append(trial.suggest_float("x", 0, 1))
        if len(tries) <= 3:
            raise KeyboardInterrupt if len(tries) == 1 else MemoryError
        return 1.0

    for error in (KeyboardInterrupt, MemoryError, MemoryError):
        with pytest.raises(error):
            work(study, objective, 2, pace=PACE)
    assert tries == [tries[0]] * 3
    assert work(study, objective, 2, pace=PACE)
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 3 + ["COMPLETE"] * 2


def test_the_time_may_be_over_before_a_trial_is_done(store, url) -> None:
    with pytest.raises(SweepError, match="Give the sweep more time"):
        sweep(SEARCH, tiny_dataset(), store, Path("none"), url, 4, timeout=0, pace=PACE)
    (parent,) = store.runs("mnist-sweeps")
    assert parent.status == "KILLED"


def test_the_run_of_a_dead_trial_is_ended(store, url) -> None:
    run_id = store.begin_run("mnist-sweeps", "trial 0", "")
    study, _ = open_study(url, "dead", lambda _: None, PACE)
    study.add_trial(optuna.create_trial(state=TrialState.FAIL, user_attrs={sweeps.RUN: run_id}))
    sweeps._end_run(store, study.trials[0])
    assert [run.status for run in store.runs("mnist-sweeps")] == ["KILLED"]


def test_a_database_that_can_not_be_used_is_said_in_words(tmp_path) -> None:
    (tmp_path / "text.db").write_text("This is no database at all, whatever its name says. " * 100)
    with pytest.raises(SweepError, match="Check DEMO_SWEEP_DATABASE_URL"):
        open_study(f"sqlite:///{tmp_path / 'text.db'}", "lost", lambda _: None, PACE)
