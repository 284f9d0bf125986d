"""A small champion, retrained a little: the run, the comparison, the gate, the version."""

import dataclasses
import hashlib
import html
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis.digits import draw_digits
from experiments.data.synthesis.generate import Amounts
from experiments.evaluation import held_out
from experiments.registry import production, promotions, versions
from experiments.retraining import fine_tuning, retrain
from experiments.retraining.corrections import MIN_CORRECTIONS, Accepted, RetrainingError, hold_out
from experiments.runs import experiment
from experiments.runs.table import table
from experiments.training.surgery import clone_of
from experiments.training.train import training_precision

EPOCHS = 8  # of a fine-tuning: a tiny champion learns crosses in as many
SPEC = SPECS["mnist"]


def digits(count: int, seed: int) -> Split:
    labels = np.arange(10).repeat(count)
    return Split(draw_digits(Split(np.empty(0), labels), np.random.default_rng(seed)), labels)


def accepted(images: np.ndarray, label: int) -> Accepted:
    labels = np.full(len(images), label)
    return Accepted(Split(images, labels), hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest())


def crosses(count: int) -> np.ndarray:
    """uint8 [N, 28, 28, 1]: no champion reads them as an 8, and any network learns to."""
    images = np.zeros((count, 28, 28, 1), np.uint8)
    for number, image in enumerate(images):
        across = 8 + number % 12
        image[across : across + 2, 4:24] = image[4:24, 12:14] = 255
    return images


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset(SPEC, train=digits(12, 0), validation=digits(4, 1), test=digits(4, 2), digest="ab" * 32)


@pytest.fixture(scope="module")
def store(store_in, tmp_path_factory, dataset):
    """One run, in Production."""
    store = store_in(tmp_path_factory.mktemp("store"))
    row = dataclasses.replace(table("mnist")[0], extra=Amounts(12, 12, 8), batch_size=16, epochs=6)
    experiment.run_table([row], dataset, store, Path("none"), prepare_held_out=small_held_out)
    return store


small_held_out = partial(held_out.prepare, calibration_drawings=30, evaluation_drawings=20)


def quick_config(dataset, champion, seed):
    config = fine_tuning.configuration(dataset, champion, seed)
    return dataclasses.replace(config, epochs=EPOCHS, learning_rate=1e-2, extra=Amounts(12, 12, 8))


class RecordingListener:
    def __init__(self):
        self.events, self.lines = [], []

    def stage(self, name, epochs=0):
        self.events.append((name, epochs) if epochs else name)

    def log(self, line):
        self.lines.append(line)

    def batch(self, epoch, done, total):
        pass

    def epoch(self, result):
        self.events.append(result.epoch)

    def measured(self, run_id, differences):
        self.results = run_id, differences

    def confirm(self):
        self.events.append("confirmed")


@pytest.fixture(scope="module")
def retrained(store, dataset):
    """The result of corrections that are easily learnt, and the runs, among them one that was abandoned before."""
    with store.run("mnist", "retrain", "", {}, {"retrain": "true"}) as abandoned:
        pass
    store.client.update_run(abandoned.run_id, status="RUNNING")
    listener, champion = RecordingListener(), production.pull(store, SPEC)
    result = retrain.retrain(accepted(crosses(24), 8), dataset, champion, store, listener, small_held_out, quick_config)
    return result, champion, listener, {run.run_id: run for run in store.runs("mnist")}, abandoned.run_id


def test_the_run_says_what_it_learnt_from_whom(retrained):
    result, champion, listener, runs, abandoned = retrained
    run = runs[result.run_id]
    stages = ["preparing", ("training", EPOCHS), *range(1, EPOCHS + 1), "measuring", "deciding"]
    assert listener.events == stages + ["confirmed"] * result.decision.promote
    assert listener.results == (result.run_id, result.differences)
    assert (run.name, run.status, run.version) == ("retrain", "FINISHED", result.version)
    assert (run.tags["retrain"], run.tags["parent_run"], run.tags["corrections"]) == ("true", champion.run_id, "24")
    assert run.params["corrections_taught"] == "18"
    assert run.params["corrections_held_out"] == "6"
    assert run.params["corrections_by_class"] == "8:24"
    assert {"test_accuracy", "validation_accuracy", "drawn_accuracy", "loss", "val_loss"} <= set(run.metrics)
    assert runs[abandoned].status == "FAILED"


def test_the_run_names_what_it_was_taught_and_judged_by(store, retrained):
    inputs = store.client.get_run(retrained[0].run_id).inputs.dataset_inputs
    named = {(entry.dataset.name, entry.tags[0].value) for entry in inputs}
    assert {("mnist", "training"), ("corrections", "training"), ("corrections held out", "evaluation")} <= named


def test_the_gates_table_compares_both_models_and_is_kept(store, retrained):
    result = retrained[0]
    groups = [row.group for row in result.differences]
    assert groups[:4] == ["validation", "generated drawings", "non-digits", "corrections held out"]
    assert groups[-10:] == [f"class {digit}" for digit in range(10)]
    assert groups[4:-10] in ([], ["shapes near the corrections"])
    corrections = result.differences[3]
    assert (corrections.count, corrections.champion) == (6, 0.0)
    assert corrections.challenger > 0


def test_the_version_is_kept_with_what_the_gate_said(store, retrained, tmp_path):
    result, champion = retrained[:2]
    tags = store.client.get_model_version(SPEC.registered_model, result.version).tags
    assert tags["gate"].endswith(result.decision.reason)
    report = Path(store.client.download_artifacts(result.run_id, "gate.html", tmp_path)).read_text()
    assert html.escape(result.decision.reason) in report
    assert "<td>corrections held out</td><td>6</td><td>0.00 %</td>" in report
    present = production.current_model(store, SPEC).version
    assert present == (result.version if result.decision.promote else champion.version)
    assert result.decision.promote == (promotions.history(store, SPEC)[-1].corrections == 24)


def test_a_challenger_of_a_champion_that_is_gone_stays_out(store, dataset, retrained):
    result, champion = retrained[:2]
    present = production.current_model(store, SPEC).version
    other = result.version if present == champion.version else champion.version
    production.promote(store, SPEC, other, "by hand")
    third = production.register(store, SPEC, retrained_again(store, present))
    decided = retrain.decide_again(store, SPEC, versions.get(store, SPEC, third).run_id, good(), RecordingListener())
    assert not decided.decision.promote
    assert f"version {other} took Production meanwhile" in decided.decision.reason


def retrained_again(store, champion):
    """The id of a run whose model was compared with this version."""
    bundle = production.pull(store, SPEC)
    with store.run("mnist", "retrain", "", {retrain.PARENT: champion}, {"retrain": "true"}) as log:
        log.log_metrics(bundle.metrics)
        log.log_bundle(bundle.folder)
    return log.run_id


class Killed(BaseException):
    pass


class KilledListener(RecordingListener):
    def confirm(self):
        raise Killed


def test_an_interrupted_decision_is_completed_once(store, retrained):
    present = production.current_model(store, SPEC).version
    run_id = retrained_again(store, present)
    with pytest.raises(Killed):
        retrain.decide_again(store, SPEC, run_id, good(), KilledListener())
    assert production.current_model(store, SPEC).version == present
    results = [retrain.decide_again(store, SPEC, run_id, good(), RecordingListener()) for _ in range(2)]
    assert results[0].decision.promote
    assert results[0].version == results[1].version != present
    history = [entry.version for entry in promotions.history(store, SPEC)]
    assert history.count(results[0].version) == 1
    assert history[-1] == results[0].version
    production.rollback(store, SPEC, "regret")
    repeated = retrain.decide_again(store, SPEC, run_id, good(), RecordingListener())
    assert repeated.decision.promote
    assert production.current_model(store, SPEC).version == present, "what the operator rolled back stays so"


def test_a_decision_whose_run_is_gone_is_given_up_in_words(store):
    with pytest.raises(RetrainingError, match="gone from MLflow"):
        retrain.decide_again(store, SPEC, "ab" * 16, good(), RecordingListener())


def good():
    from experiments.evaluation.comparison import CORRECTIONS, Difference

    return (Difference(CORRECTIONS, 6, 0.0, 1.0, 1.0, 1.0),)


def test_too_few_corrections_are_refused_in_words(store, dataset):
    with pytest.raises(RetrainingError, match=f"needs {MIN_CORRECTIONS} accepted corrections; there are 3"):
        retrain.retrain(accepted(crosses(3), 8), dataset, production.pull(store, SPEC), store, RecordingListener())


def test_every_fourth_of_each_class_judges():
    labels = np.array([1] * 20 + [7] * 8 + [3])
    data = Split(np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1), labels)
    training, evaluation = hold_out(data, 0)
    assert sorted(np.concatenate([training.images, evaluation.images]).ravel()) == list(range(29))
    counts = np.bincount(evaluation.labels, minlength=8)
    assert 4 <= counts[1] <= 6
    assert 1 <= counts[7] <= 3
    assert not np.array_equal(hold_out(data, 1)[1].images, evaluation.images)


def test_a_copy_of_the_champion_answers_as_it_does(store):
    champion = keras.saving.load_model(production.pull(store, SPEC).keras, compile=False)
    images = digits(2, 5).images
    build = clone_of(champion)
    assert np.allclose(build(SPEC).predict(images, verbose=0), champion.predict(images, verbose=0), atol=1e-5)
    keras.mixed_precision.set_global_policy(training_precision())
    try:
        rough = build(SPEC).predict(images, verbose=0)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert rough.dtype == np.float32
    assert np.allclose(rough, champion.predict(images, verbose=0), atol=0.05)
