import dataclasses

import pytest

from experiments.insights import run_comparison
from tests.helpers.filled_store import fill


def test_the_shipped_model_stands_alone_where_the_store_has_no_runs(store, spec, bundle):
    comparison = run_comparison.compare(store, spec, bundle)
    assert comparison == run_comparison.shipped(bundle)
    assert [run.in_production for run in comparison.runs] == [True]
    assert "the model that came with the project answers" in run_comparison.summary(comparison)
    assert "`python -m experiments --dataset dots` makes runs" in run_comparison.summary(comparison)
    assert run_comparison.cells(comparison.runs[0], ["test_accuracy", "training_seconds"]) == ["93.75", "–"]


def test_one_run_has_nothing_to_be_compared_with(store, spec, bundle):
    fill(store, spec, bundle, 1)
    comparison = run_comparison.compare(store, spec, bundle)
    assert "1 finished run. run-0 (v1) is in Production; there is no other" in run_comparison.summary(comparison)
    assert [(epoch.epoch, epoch.val_loss) for epoch in comparison.runs[0].curves] == [(1, 0.9), (2, 0.45)]
    assert comparison.runs[0].link == ""


def test_the_best_won_by_what_it_is_ahead(store, spec, bundle):
    fill(store, spec, bundle, 3)
    summary = run_comparison.summary(run_comparison.compare(store, spec, bundle))
    assert "3 finished runs. run-2 (v1) is in Production because it is best" in summary
    assert "+0.10 points on validation and +0.10 points on generated drawings against run-1, the next best." in summary
    assert "It takes 1.5 times as long to train and 1.7 times as long to answer." in summary


def test_one_that_is_not_best_is_told_from_one_that_is(store, spec, bundle):
    fill(store, spec, bundle, 3, best=0)
    summary = run_comparison.summary(run_comparison.compare(store, spec, bundle))
    assert "run-0 (v1) is in Production though it is not best: -0.20 points" in summary
    assert "against run-2, the best of the others. It takes 0.33 times as long to train" in summary


def test_a_failed_run_is_counted_apart(store, spec, bundle):
    fill(store, spec, bundle, 1)
    with pytest.raises(RuntimeError), store.run(spec.name, "broken", "", {}, {}):
        raise RuntimeError
    comparison = run_comparison.compare(store, spec, bundle)
    assert "1 finished run, 1 unfinished" in run_comparison.summary(comparison)
    assert run_comparison.cells(comparison.runs[1], ["test_accuracy"]) == ["–"]


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    assert not run_comparison.store_exists(f"sqlite:///{tmp_path / 'none.db'}")
    assert run_comparison.store_exists("http://127.0.0.1:5000")


def test_texts_are_in_the_units_of_their_titles(store, spec, bundle):
    fill(store, spec, bundle, 1)
    entry = run_comparison.compare(store, spec, bundle).runs[0]
    names = [
        "test_accuracy",
        "test_log_loss",
        "training_seconds",
        "parameters",
        "litert_milliseconds",
        "model_megabytes",
    ]
    assert run_comparison.cells(entry, names) == ["93.75", "0.1234", "1.0", "1,000", "0.5000", "–"]
    assert run_comparison.settings_of(entry) == "architecture wide, epochs 2, learning rate 0.001, batch size 128"


def test_curves_of_a_bundle_come_from_its_run_if_the_store_has_it(store, spec, bundle):
    fill(store, spec, bundle, 1)
    run = store.runs(spec.name)[0]
    assert len(run_comparison.curves_of_bundle(store, dataclasses.replace(bundle, run_id=run.run_id))) == 2
    assert run_comparison.curves_of_bundle(store, bundle) == ()
