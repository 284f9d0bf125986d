"""Accepted corrections, from the data to the gate: one MLflow run, a version, and Production if it is better."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Protocol

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.evaluation import comparison, held_out
from experiments.evaluation.comparison import (
    CORRECTIONS,
    DRAWINGS,
    NON_DIGITS,
    REJECTED,
    VALIDATION,
    Answers,
    Difference,
)
from experiments.evaluation.gate import Decision, decide_retraining
from experiments.evaluation.held_out import HeldOut
from experiments.inference.bundle import Bundle
from experiments.inference.predictions import Thresholds, predict
from experiments.insights import plots
from experiments.registry import production
from experiments.registry.store import TrackingStore
from experiments.retraining import fine_tuning
from experiments.retraining.corrections import Accepted, check_enough, hold_out
from experiments.runs import experiment, measure, provenance
from experiments.training.config import RunConfig
from experiments.training.progress import Listener

TEACHING = "corrections that teach"
STAGES = ("preparing", "training", "measuring", "deciding")


class RetrainingListener(Listener, Protocol):
    """Who follows a retraining: besides batches and epochs it hears of the stages and what is said of them."""

    def stage(self, name: str, epochs: int = 0) -> None:
        """One of STAGES begins; training with so many epochs."""

    def log(self, line: str) -> None:
        """A line for the log."""


@dataclass(frozen=True)
class RetrainingResult:
    """What came of it. `differences`: the gate's table."""

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
    """Fine-tunes the champion, which is the model in Production, and lets the gate decide. Raises RetrainingError."""
    check_enough(len(accepted))
    listener.stage("preparing")
    _end_abandoned(store, dataset.spec)
    spec, seed = dataset.spec, int(accepted.digest[:8], 16)
    teaching, judging = hold_out(accepted.data, seed)
    model, questions = keras.saving.load_model(champion.keras, compile=False, safe_mode=True), prepare_held_out(dataset)
    groups = _groups(dataset, questions, judging)
    before = _answers(model, champion.thresholds, groups | {TEACHING: teaching}, spec)
    config = configure(dataset, model, seed)
    listener.log(f"Version {champion.version} learns {len(teaching.labels)} corrections; {len(judging.labels)} judge.")
    parameters = _parameters(champion, teaching, judging, spec) | provenance.parameters(config, dataset)
    with store.run(spec.name, config.name, config.reason, parameters, _tags(accepted, champion)) as log:
        listener.stage("training", config.epochs)
        history = experiment.EpochLogger(log)
        model = fine_tuning.fine_tune(config, model, dataset, teaching, before[TEACHING], [listener, history])
        log.log_figure(plots.curves(f"{config.name}: {config.reason}", history.results), "curves.png")
        listener.stage("measuring")
        digest = sha256(f"{dataset.digest} {accepted.digest}".encode()).hexdigest()
        thresholds = measure.measure(model, replace(dataset, digest=digest), questions, log, history.results)
        after = _answers(model, thresholds, groups, spec)
        answered = [Answers(name, group.labels, before[name], after[name]) for name, group in groups.items()]
        differences = comparison.compare(answered, spec.class_names)
        log.log_json({"differences": [asdict(row) for row in differences]}, "gate.json")
    listener.stage("deciding")
    return _decide(store, spec, champion, log.run_id, differences)


def _decide(
    store: TrackingStore, spec: DatasetSpec, champion: Bundle, run_id: str, differences: tuple[Difference, ...]
) -> RetrainingResult:
    """The challenger is a version in any case, and takes Production only through the gate."""
    version, decision = production.register(store, spec, run_id), decide_retraining(differences)
    present = production.current_model(store, spec)
    if decision.promote and present is not None and present.version != champion.version:
        reason = f"compared with version {champion.version}, but version {present.version} took Production meanwhile"
        decision = Decision(False, reason)
    production.record_decision(store, spec, version, decision)
    if decision.promote:
        production.promote(store, spec, version, decision.reason, "gate")
    return RetrainingResult(run_id, version, decision, differences)


def _end_abandoned(store: TrackingStore, spec: DatasetSpec) -> None:
    """One runs at a time: any other that MLflow still takes for running has lost its process."""
    for run in store.runs(spec.name):
        if run.status == "RUNNING" and "retrain" in run.tags:
            with store.translate_errors():
                store.client.set_terminated(run.run_id, "FAILED")


def _groups(dataset: Dataset, questions: HeldOut, judging: Split) -> dict[str, Split]:
    """What both models are asked, by name."""
    groups = {VALIDATION: dataset.validation, CORRECTIONS: judging}
    if questions.drawings is not None:
        groups[DRAWINGS] = Split(questions.drawings.images, questions.drawings.labels)
    if questions.non_digits is not None:
        images = questions.non_digits.images
        groups[NON_DIGITS] = Split(images, np.full(len(images), REJECTED))
    return groups


def _answers(
    model: keras.Model, thresholds: Thresholds, groups: dict[str, Split], spec: DatasetSpec
) -> dict[str, np.ndarray]:
    """The labels int64 [N] that people would be told, by group; REJECTED where they would be told none."""
    places = {name: place for place, name in enumerate(spec.class_names)} | {"": REJECTED}
    answers = {}
    for name, group in groups.items():
        found = predict(held_out.as_function(model), group.images, spec, thresholds)
        answers[name] = np.array([places[each.label] for each in found], np.int64)
    return answers


def _parameters(champion: Bundle, teaching: Split, judging: Split, spec: DatasetSpec) -> dict[str, object]:
    counts = np.bincount(np.concatenate([teaching.labels, judging.labels]), minlength=len(spec.class_names))
    return {
        "parent_version": champion.version,
        "corrections_taught": len(teaching.labels),
        "corrections_held_out": len(judging.labels),
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
