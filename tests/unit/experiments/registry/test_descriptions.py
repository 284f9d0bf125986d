"""The sentences about models that MLflow's page shows."""

from datetime import UTC, datetime

import pytest

from experiments.data.specs import SPECS
from experiments.registry.descriptions import model_description, version_description
from experiments.registry.run_log import RunSummary

GOOD = {"test_accuracy": 0.9951, "drawn_accuracy": 0.981, "negatives_refused": 0.93, "loss": 0.1}
DRAWN = (
    "It is right about 99.51 % of the test digits, 98.10 % of generated drawings and 93.0 % of what is none of them."
)


def described(dataset="mnist", metrics=GOOD, tags=None, **params):
    day = datetime(2026, 11, 28, 12, tzinfo=UTC)
    run = RunSummary("id", "further", "a reason", "FINISHED", day, 60.0, params, metrics, tags or {}, None)
    return version_description(run, SPECS[dataset])


def test_a_run_says_its_network_epochs_and_accuracies():
    made = "The network `wide`, trained for 33 epochs by the run `further` of 2026-11-28."
    assert described(architecture="wide", epochs="33", parent="") == f"{made} {DRAWN}"
    once = described(architecture="wide", epochs="1", parent="another run")
    assert "trained for 1 epoch, from the weights of an earlier model on, by the run `further`" in once


def test_the_shipped_model_and_a_retrained_one_say_where_they_come_from():
    shipped = described("cifar10", {"test_accuracy": 0.94}, {"origin": "shipped", "trained_at": "2026-11-21T20:00:00"})
    assert shipped == (
        "The model that came with the project, trained on 2026-11-21. It is right about 94.00 % of the test photos."
    )
    retrained = described(tags={"retrain": "true", "corrections": "24"}, parent_version="3", architecture="copy")
    assert retrained == f"Retrained from version 3 on 24 accepted corrections, on 2026-11-28. {DRAWN}"


def test_a_run_that_measured_nothing_says_so():
    assert described(metrics={}) == "The model of the run `further` of 2026-11-28. How good it is was not measured."


@pytest.mark.parametrize(("dataset", "names"), [("mnist", "8 or 9, or none of them."), ("cifar10", "ship or truck.")])
def test_a_registered_model_says_what_it_recognises_and_what_its_aliases_mean(dataset, names):
    description = model_description(SPECS[dataset])
    assert names in description
    assert "`production`" in description
    assert "`challenger`" in description
