"""Retrain on accepted corrections: one MLflow run, a new version, and Production if the gate lets it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Literal, Protocol

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.evaluation import comparison, held_out
from experiments.evaluation.comparison import CORRECTIONS, NEAR_SHAPES, Answers, Difference
from experiments.evaluation.gate import Decision, decide_retraining
from experiments.evaluation.held_out import HeldOut
from experiments.evaluation.near_shapes import Answer, near_shapes
from experiments.inference.bundle import Bundle
from experiments.inference.predictions import Prediction, predict
from experiments.insights import plots
from experiments.insights.gate_report import differences_table, gate_report
from experiments.registry import production, promotions
from experiments.registry.run_log import RunLog
from experiments.registry.store import TrackingStore
from experiments.retraining import fine_tuning
from experiments.retraining.corrections import Accepted, RetrainingError, check_enough, hold_out
from experiments.runs import provenance
from experiments.runs.experiment import EpochLogger
from experiments.runs.measure import Predictions, evaluation_sets, measure, predict_sets
from experiments.training.config import RunConfig
from experiments.training.progress import Listener

Stage = Literal["preparing", "training", "measuring", "deciding"]

PARENT = "parent_version"  # parameter of a run: the champion
REFUSED = 0.85  # probability of the reject class from which the gate takes an answer for a rejection


class RetrainingListener(Listener, Protocol):
    """Follows a retraining: its stages and its log lines beside batches and epochs."""

    def stage(self, name: Stage, epochs: int = 0) -> None:
        """A stage begins; training with so many epochs."""

    def log(self, line: str) -> None:
        """A line for the log."""

    def measured(self, run_id: str, differences: Sequence[Difference]) -> None:
        """What the decision will be made by, and what `decide` needs to repeat it."""

    def confirm(self) -> None:
        """Raise an error if another process does this retraining by now."""


@dataclass(frozen=True)
class RetrainingResult:
    """The run and version of a retraining, and the gate's decision. `differences`: the gate's table."""

    run_id: str
    version: str
    decision: Decision
    differences: tuple[Difference, ...]


def retrain(
    accepted: Accepted,
    dataset: Dataset,
    champion: Bundle,
    store: TrackingStore,
    listener: RetrainingListener,
    prepare_held_out: Callable[[Dataset], HeldOut] = held_out.prepare,
    configure: Callable[[Dataset, keras.Model, int], RunConfig] = fine_tuning.configuration,
) -> RetrainingResult:
    """Fine-tune the champion, which is the model in Production, and let the gate decide. Raises RetrainingError."""
    check_enough(len(accepted))
    spec, seed = dataset.spec, int(accepted.digest[:8], 16)
    listener.stage("preparing")
    _end_abandoned(store, spec)
    training, evaluation = hold_out(accepted.data, seed)
    held_out_data = prepare_held_out(dataset)
    model = keras.saving.load_model(champion.keras, compile=False, safe_mode=True)
    config = configure(dataset, model, seed)
    same = replace(champion.thresholds, refuse=REFUSED)  # the gate compares networks, whatever threshold each is given
    champion_answer = partial(predict, held_out.as_function(model), spec=spec, thresholds=same)
    sets = evaluation_sets(dataset, held_out_data) | _own_sets(accepted.data, evaluation, champion_answer, spec)
    before = predict_sets(held_out.as_function(model), sets, same, spec)
    taken_for = _labels(champion_answer(training.images), spec)
    learnt, kept = len(training.labels), len(evaluation.labels)
    listener.log(f"Version {champion.version} learns {learnt} corrections; {kept} are held out.")
    parameters = _parameters(champion, training, evaluation, spec) | provenance.parameters(config, dataset)
    with store.run(spec.name, config.name, config.reason, parameters, _tags(accepted, champion)) as log:
        _log_datasets(dataset, training, log)
        listener.stage("training", config.epochs)
        logger = EpochLogger(log)
        model = fine_tuning.fine_tune(config, model, dataset, training, taken_for, [listener, logger])
        log.log_figure(plots.curves(f"{config.name}: {config.reason}", logger.epochs), "curves.png")

        listener.stage("measuring")
        digest = sha256(f"{dataset.digest} {accepted.digest}".encode()).hexdigest()
        after = measure(model, replace(dataset, digest=digest), held_out_data, log, logger.epochs, sets)
        differences = compare_models(sets, before, after, spec)
    listener.measured(log.run_id, differences)
    return _decide(store, spec, champion.version, log.run_id, differences, listener)


def decide_again(
    store: TrackingStore,
    spec: DatasetSpec,
    run_id: str,
    differences: tuple[Difference, ...],
    listener: RetrainingListener,
) -> RetrainingResult:
    """Complete a decision that was interrupted: what of it was done stays. Raises RetrainingError."""
    runs = [run for run in store.runs(spec.name) if run.run_id == run_id]
    if not runs:
        raise RetrainingError(f"The run {run_id} of this retraining is gone from MLflow. Start another.")
    return _decide(store, spec, runs[0].params[PARENT], run_id, differences, listener)


def _log_datasets(dataset: Dataset, corrections: Split, log: RunLog) -> None:
    for name, split in ((dataset.spec.name, dataset.train), ("corrections", corrections)):
        log.log_dataset(name, split, "training")


def compare_models(
    sets: Mapping[str, Split], champion: Predictions, challenger: Predictions, spec: DatasetSpec
) -> tuple[Difference, ...]:
    """Make the gate's table of both models' predictions for the same sets."""
    answers = [
        Answers(name, split.labels, _labels(champion[name], spec), _labels(challenger[name], spec))
        for name, split in sets.items()
    ]
    return comparison.compare(answers, spec.class_names)


def _own_sets(corrections: Split, held_out: Split, answer: Answer, spec: DatasetSpec) -> dict[str, Split]:
    """What this retraining alone is evaluated on: corrections held out, and shapes near all of them."""
    near = near_shapes(corrections, answer, spec.class_names)
    return {CORRECTIONS: held_out} | ({NEAR_SHAPES: near} if len(near.labels) else {})


def _labels(predictions: list[Prediction], spec: DatasetSpec) -> np.ndarray:
    """The predicted labels as positions among the class names, int64 [N]; images rejected by REFUSED, whatever the
    model's own threshold is, come after the last one."""
    likeliest = np.array([prediction.probabilities.argmax() for prediction in predictions], np.int64)
    rejected = np.array([prediction.reject_probability > REFUSED for prediction in predictions], bool)
    return np.where(rejected, len(spec.class_names), likeliest)


def _decide(
    store: TrackingStore,
    spec: DatasetSpec,
    champion: str,
    run_id: str,
    differences: tuple[Difference, ...],
    listener: RetrainingListener,
) -> RetrainingResult:
    """Register the challenger in any case; it takes Production only through the gate. champion: the version that it was
    compared with. Every step is safe to repeat."""
    listener.stage("deciding")
    version, decision = production.register(store, spec, run_id), decide_retraining(differences)
    current = production.current_model(store, spec)
    present = current.version if current is not None else champion
    promoted_before = version in [promotion.version for promotion in promotions.history(store, spec)]
    if decision.promote and not promoted_before and present not in (champion, version):
        reason = f"compared with version {champion}, but version {present} took Production meanwhile"
        decision = Decision(False, reason)
    report = gate_report(decision, differences_table(asdict(row) for row in differences))
    production.record_decision(store, spec, version, decision, report)
    replaced = promoted_before and present != version  # since then, by the operator
    if decision.promote and not replaced:
        listener.confirm()
        production.promote(store, spec, version, decision.reason, "gate")
    return RetrainingResult(run_id, version, decision, differences)


def _end_abandoned(store: TrackingStore, spec: DatasetSpec) -> None:
    """Mark retrainings FAILED that MLflow still takes for running: a data set has one at a time, so
    their process is gone."""
    for run in store.runs(spec.name):
        if run.status == "RUNNING" and "retrain" in run.tags:
            store.end_run(run.run_id, "FAILED")


def _parameters(champion: Bundle, training: Split, evaluation: Split, spec: DatasetSpec) -> dict[str, object]:
    counts = np.bincount(np.concatenate([training.labels, evaluation.labels]), minlength=len(spec.class_names))
    return {
        PARENT: champion.version,
        "corrections_taught": len(training.labels),
        "corrections_held_out": len(evaluation.labels),
        "corrections_by_class": " ".join(f"{name}:{n}" for name, n in zip(spec.class_names, counts, strict=True) if n),
    }


def _tags(accepted: Accepted, champion: Bundle) -> dict[str, str]:
    return {
        "retrain": "true",
        "parent_run": champion.run_id,
        "mlflow.parentRunId": champion.run_id,  # MLflow shows it under that run
        "corrections_digest": accepted.digest,
        production.CORRECTIONS: str(len(accepted)),
        "mlflow.source.git.commit": provenance.git_commit(),
    }
