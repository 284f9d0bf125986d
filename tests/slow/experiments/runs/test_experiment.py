"""The whole table on a tiny data set: logged, chosen, registered, gated, skipped the next time."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.generate import Amounts
from experiments.insights import run_comparison
from experiments.registry import production
from experiments.registry.store import RegistryError
from experiments.runs import experiment, provenance
from experiments.runs.table import table
from experiments.training.config import PRODUCTION
from tests.helpers.tiny_runs import SPEC, prepare_held_out, tiny_dataset


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return tiny_dataset()


def run_table(configs, dataset, store, shipped, log_line=print):
    """With held-out data made in seconds."""
    return experiment.run_table(configs, dataset, store, shipped, log_line, prepare_held_out)


def rows() -> list:
    baseline = dataclasses.replace(table("mnist")[0], extra=Amounts(12, 12, 8), batch_size=16, epochs=1)
    return [baseline, dataclasses.replace(baseline, name="longer", epochs=4)]


@pytest.fixture(scope="module")
def store(store_in, tmp_path_factory):
    """One for all tests here, since each training takes seconds."""
    return store_in(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def interrupted(dataset, store, tmp_path_factory) -> list:
    """The runs of the store after Ctrl-C in the first one."""

    def interrupt(spec):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_table([dataclasses.replace(rows()[0], build=interrupt)], dataset, store, Path("none"), print)
    return store.runs("mnist")


@pytest.fixture(scope="module")
def result(dataset, store, interrupted) -> experiment.TableResult:
    return run_table(rows(), dataset, store, Path("none"), print)


def test_an_interrupted_run_is_killed_and_the_store_stays_sound(interrupted, result) -> None:
    assert [run.status for run in interrupted] == ["KILLED"]
    assert [run.status for run in result.runs] == ["FINISHED", "FINISHED"]


def test_the_table_from_runs_to_production(store, result) -> None:
    assert [run.name for run in result.runs] == ["baseline", "longer"]
    assert result.best.metrics["validation_accuracy"] == max(r.metrics["validation_accuracy"] for r in result.runs)
    assert result.decision.promote
    assert production.current_model(store, SPEC).version == result.version == "1"

    run = result.runs[0]
    assert run.reason == rows()[0].reason
    assert {"learning_rate", "seed", "dataset_digest", "version_tensorflow", "architecture"} <= set(run.params)
    expected = {f"test_{m}" for m in ("accuracy", "precision", "recall", "f1", "roc_auc", "top2_accuracy", "log_loss")}
    assert expected | {
        "loss",
        "val_accuracy",
        "test_recall_7",
        "training_seconds",
        "drawn_accuracy",
        "negatives_refused",
    } <= set(run.metrics)
    logged = {item.path for item in store.client.list_artifacts(run.run_id)}
    assert {"curves.png", "confusion_matrix.png", "report.json", "drawn.json", "drawn.png", "bundle"} <= logged


def test_a_run_names_its_data_sets_as_mlflow_lists_them(dataset, store, result) -> None:
    inputs = [store.client.get_run(run.run_id).inputs.dataset_inputs for run in result.runs]
    rows = {
        (entry.dataset.name, entry.tags[0].value): json.loads(entry.dataset.profile)["features_shape"][0]
        for entry in inputs[0]
    }
    assert rows == {
        ("mnist", "training"): 120,
        ("generated images", "training"): 32,
        ("mnist", "validation"): 40,
        ("mnist", "test"): 40,
        ("generated drawings", "evaluation"): 20,
        ("non-digits", "evaluation"): 20,
    }
    digests = [{entry.dataset.digest for entry in of_run} for of_run in inputs]
    assert digests[0] == digests[1]  # both had the same images
    assert len(digests[0]) == len(rows)
    schema = json.loads(inputs[0][0].dataset.schema)["mlflow_tensorspec"]
    assert json.loads(schema["features"])[0]["tensor-spec"] == {"dtype": "uint8", "shape": [-1, 28, 28, 1]}


def test_finished_runs_are_skipped(dataset, store, result) -> None:
    lines = []
    again = run_table(rows(), dataset, store, Path("none"), lines.append)
    assert [run.run_id for run in again.runs] == [run.run_id for run in result.runs]
    assert sum("skipped" in line for line in lines) == 2
    assert again.version == "1"


def test_the_shipped_model_comes_first_and_a_worse_one_stays_out_of_production(
    dataset, store, result, store_in, tmp_path
) -> None:
    shipped = production.pull(store, SPEC).folder
    fresh = store_in(tmp_path)
    worse = dataclasses.replace(rows()[0], learning_rate=1e-7)
    second = run_table([worse], dataset, fresh, shipped, print)
    assert [run.name for run in fresh.runs("mnist")] == ["shipped", "baseline"]
    assert result.best.metrics["validation_accuracy"] > second.best.metrics["validation_accuracy"]
    assert (second.version, second.decision.promote) == ("2", False)
    assert "worse" in second.decision.reason
    assert production.current_model(fresh, SPEC).version == "1"
    assert fresh.client.get_model_version_by_alias(SPEC.registered_model, "challenger").version == 2
    report = Path(fresh.client.download_artifacts(second.best.run_id, "gate.html", tmp_path)).read_text()
    assert second.decision.reason in report
    assert report.count("<td>worse</td>") >= 1


def test_a_run_goes_on_from_the_production_model(dataset, store, result) -> None:
    champion = production.current_model(store, SPEC)
    onward = dataclasses.replace(rows()[0], name="onward", parent=PRODUCTION, learning_rate=1e-9)
    after = run_table([onward], dataset, store, Path("none")).best
    assert after.params["parent"] == champion.run_id
    assert after.metrics["validation_accuracy"] == champion.metrics["validation_accuracy"]
    assert after.metrics["validation_accuracy"] > 0.2  # what random weights would give: half of that


def test_nothing_goes_on_from_an_empty_registry(dataset, store_in, tmp_path) -> None:
    onward = dataclasses.replace(rows()[0], parent=PRODUCTION)
    with pytest.raises(RegistryError, match="Run the table first"):
        run_table([onward], dataset, store_in(tmp_path), Path("none"))


def photos(count: int, seed: int) -> Split:
    """Ten kinds of colour, each with some noise."""
    labels = np.arange(10).repeat(count)
    ground = np.random.default_rng(9).integers(40, 216, (10, 1, 1, 3))
    noise = np.random.default_rng(seed).integers(-40, 40, (len(labels), 32, 32, 3))
    return Split((ground[labels] + noise).astype(np.uint8), labels)


def test_photos_go_the_same_way_without_drawings(store) -> None:
    spec = SPECS["cifar10"]
    dataset = Dataset(spec, photos(12, 0), photos(4, 1), photos(4, 2), digest="cd" * 32)
    row = dataclasses.replace(
        table("cifar10")[0], extra=Amounts(outlier_photos=8), batch_size=16, epochs=1, mirrored=True, momentum=0.9
    )
    result = run_table([row], dataset, store, Path("none"))
    assert (result.version, result.decision.promote) == ("1", True)
    assert "test_f1_frog" in result.best.metrics
    assert not [name for name in result.best.metrics if name.startswith(("drawn", "negatives"))]
    bundle = production.pull(store, spec)
    assert bundle.dataset == "cifar10"
    assert bundle.thresholds.refuse == 1


def test_another_recipe_is_other_work(dataset) -> None:
    config = rows()[0]
    fingerprints = {
        *provenance.fingerprints(config, dataset),
        *provenance.fingerprints(dataclasses.replace(config, seed=1), dataset),
        *provenance.fingerprints(config, dataclasses.replace(dataset, digest="cd" * 32)),
    }
    assert len(fingerprints) == 3 * len(provenance.fingerprints(config, dataset))
    assert provenance.fingerprints(config, dataset)[0] in fingerprints


def test_the_printed_table_marks_the_best_and_gives_reasons(store, result) -> None:
    console = Console(record=True, width=100)
    run_comparison.print_comparison(console, store.runs("mnist"), "mnist", result.best.run_id)
    text = console.export_text()
    assert f"{result.best.name} ★" in text
    assert rows()[0].reason in text
    assert "learning rate 0.001" in text
