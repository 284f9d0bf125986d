"""What the project's first layout has left behind goes on working: its store of runs, history, and exported model."""

import dataclasses
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.digits import draw_digits
from experiments.data.synthesis.generate import Amounts
from experiments.evaluation import held_out
from experiments.registry import production, promotions, versions
from experiments.registry.store import TrackingStore
from experiments.registry.upkeep import bring_up_to_date
from experiments.runs import experiment
from experiments.runs.table import table
from model_loader import Classifier
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.production_log import ProductionLog
from serving.storage.records import AnswerFilter, CorrectionFilter
from serving.storage.retrainings import Retrainings
from settings import ROOT, Settings

MADE = ROOT / "tests" / "data" / "before_the_wings.tar.xz"  # one run, in Production; eight answers, three corrections
SPEC = SPECS["mnist"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(MADE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def settings(folder) -> Settings:
    places = {
        "models_dir": folder / "none",
        "artifact_dir": folder / "mlartifacts",
        "mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.db'}",
    }
    return Settings(_env_file=None, **places)


@pytest.fixture(scope="module")
def database(settings):
    database = Database(f"sqlite:///{settings.artifact_dir / 'history.db'}")
    yield database
    database.close()


def digits(count: int, seed: int) -> Split:
    labels = np.arange(10).repeat(count)
    return Split(draw_digits(Split(np.empty(0), labels), np.random.default_rng(seed)), labels)


def test_its_finished_run_is_not_run_again(settings) -> None:
    data = Dataset(SPEC, train=digits(12, 0), validation=digits(4, 1), test=digits(4, 2), digest="ab" * 32)
    row = dataclasses.replace(table("mnist")[0], extra=Amounts(12, 12, 8), batch_size=16, epochs=1)
    store, lines = TrackingStore.of(settings), []
    before = store.runs("mnist")
    prepare = partial(held_out.prepare, calibration_drawings=30, evaluation_drawings=20)
    result = experiment.run_table([row], data, store, Path("none"), lines.append, prepare)
    assert "baseline: finished before, skipped" in lines
    assert [run.run_id for run in store.runs("mnist")] == [run.run_id for run in before]
    assert (result.version, result.decision.promote) == ("1", True)
    assert production.current_model(store, SPEC).version == "1"
    assert "Version 1 of Mnist_Best_Model can be loaded and served by MLflow now." in lines


def test_its_registry_is_brought_up_to_date(settings) -> None:
    store = TrackingStore.of(settings)
    before = promotions.history(store, SPEC)
    bring_up_to_date(store, SPEC, Path("none"), [].append)
    assert promotions.history(store, SPEC) == before
    model, version = versions.registered_model(store, SPEC), versions.get(store, SPEC, "1")
    assert set(model.tags) == {"production_history"}
    assert "Recognises digits" in model.description
    assert version.description.startswith("The network `baseline`, trained for 1 epoch by the run `baseline` of 20")
    store.client.update_model_version(SPEC.registered_model, "1", "What a person wrote.")
    bring_up_to_date(store, SPEC, Path("none"), [].append)
    assert versions.get(store, SPEC, "1").description == "What a person wrote."


def test_its_exported_model_answers_as_it_did(settings) -> None:
    predictions = Classifier(SPEC, settings).predict(digits(4, 2).images[:8])
    assert [prediction.label for prediction in predictions] == list("88882020")
    expected = [0.206831, 0.20366, 0.212478, 0.162627, 0.128056, 0.134209, 0.140123, 0.12662]
    assert [prediction.confidence for prediction in predictions] == pytest.approx(expected, abs=1e-5)
    assert {prediction.model_version for prediction in predictions} == {"1"}


def test_its_history_is_there(database) -> None:
    history = History(database)
    assert history.count(AnswerFilter()) == 8
    newest = history.search(AnswerFilter(), 1)[0]
    assert (newest.request_id, newest.verdict, newest.image) == ("request-7", "blank", None)
    assert history.tally(AnswerFilter(), "verdict") == {"sure": 2, "unsure": 2, "rejected": 2, "blank": 2}


def test_its_corrections_retrainings_and_production_log_are_there(database, settings) -> None:
    corrections = Corrections(database)
    assert corrections.tally(CorrectionFilter("mnist"), "state") == {("accepted",): 1, ("pending",): 2}
    data, _ = corrections.accepted("mnist")
    assert (data.images.shape, data.labels.tolist()) == ((1, 28, 28, 1), [1])
    retraining = Retrainings(database).latest("mnist")
    assert (retraining.state, retraining.reason, retraining.version) == ("refused", "worse on digits", "2")
    assert retraining.epochs[0]["val_loss"] == 0.4
    production_log = ProductionLog(database)
    production_log.add_missing("mnist", promotions.history(TrackingStore.of(settings), SPEC))
    (line,) = production_log.entries("mnist")
    assert (line.version, line.by, line.until) == ("1", "gate", None)
