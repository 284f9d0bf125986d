"""One command's work: run the table's rows, choose the best on validation, register it, let the gate decide."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation import held_out
from experiments.evaluation.gate import Decision, decide, selection_score
from experiments.evaluation.held_out import HeldOut
from experiments.inference import bundle
from experiments.insights import plots
from experiments.registry import production
from experiments.registry.run_log import RunLog, RunSummary
from experiments.registry.store import RegistryError, TrackingStore
from experiments.runs.measure import measure
from experiments.runs.provenance import fingerprints, git_commit, parameters
from experiments.training.config import PRODUCTION, RunConfig
from experiments.training.progress import Epoch, Listener, TerminalBar
from experiments.training.surgery import clone_of, unmirrored
from experiments.training.train import train


@dataclass(frozen=True)
class TableResult:
    """What came of the table: its runs in order, the best of them, its version, and what the gate said."""

    runs: tuple[RunSummary, ...]
    best: RunSummary
    version: str
    decision: Decision


def run_table(
    configs: Sequence[RunConfig],
    dataset: Dataset,
    store: TrackingStore,
    shipped: Path,
    log_line: Callable[[str], None] = print,
    prepare_held_out: Callable[[Dataset], HeldOut] = held_out.prepare,
) -> TableResult:
    """Runs what has not been finished before, then registers the best and promotes it if the gate lets it."""
    seed_registry(store, dataset.spec, shipped, log_line)
    extras: dict[tuple[Amounts, int], Split] = {}  # the runs share them, and the exam
    questions: HeldOut | None = None
    finished = []
    for config in (resolve_parent(row, store, dataset.spec) for row in configs):
        marks = fingerprints(config, dataset)
        if store.finished(dataset.spec.name, marks):
            log_line(f"{config.name}: finished before, skipped")
        else:
            key = (config.extra, config.seed)
            if key not in extras:
                extras[key] = synthesise(config.extra, dataset, config.seed)
            questions = questions or prepare_held_out(dataset)
            run_one(config, dataset, extras[key], questions, store, marks[0])
        finished.append(store.finished(dataset.spec.name, marks))
    best = max(finished, key=lambda run: selection_score(run.metrics))
    return _register_best(tuple(finished), best, dataset, store)


def resolve_parent(config: RunConfig, store: TrackingStore, spec: DatasetSpec) -> RunConfig:
    """The run with its network; the Production model's, weights and all, if it goes on from there. Raises
    RegistryError if there is none."""
    if config.parent != PRODUCTION:
        return config
    champion = production.pull(store, spec)
    if champion is None:
        raise RegistryError(f"{config.name} goes on from the Production model, and there is none. Run the table first.")
    network = keras.saving.load_model(champion.keras, compile=False, safe_mode=True)
    return replace(config, build=clone_of(unmirrored(network)), parent=champion.run_id)


def run_one(
    config: RunConfig, dataset: Dataset, extra: Split, questions: HeldOut, store: TrackingStore, mark: str
) -> None:
    """One row of the table as one MLflow run, from the first epoch to the exported bundle. mark: its fingerprint."""
    tags = {"fingerprint": mark, "mlflow.source.git.commit": git_commit()}
    with store.run(dataset.spec.name, config.name, config.reason, parameters(config, dataset), tags) as log:
        bar, history = TerminalBar(config.name, config.trainings * config.epochs), EpochLogger(log)
        started = time.monotonic()
        try:
            model = train(config, dataset, extra, [bar, history])
        finally:
            bar.close()
        seconds = time.monotonic() - started
        log.log_metrics({"training_seconds": seconds, "parameters": model.count_params()})
        log.log_figure(plots.curves(f"{config.name}: {config.reason}", history.results), "curves.png")
        measure(model, dataset, questions, log, history.results)


def seed_registry(store: TrackingStore, spec: DatasetSpec, shipped: Path, log_line: Callable[[str], None]) -> None:
    """An empty registry starts with the model that came with the repository."""
    try:
        if production.seed_shipped(store, spec, bundle.read(shipped)):
            log_line("The registry was empty: the shipped model is version 1, in Production.")
    except bundle.BundleError as error:
        log_line(f"The registry starts without the shipped model. {error}")


def _register_best(
    runs: tuple[RunSummary, ...], best: RunSummary, dataset: Dataset, store: TrackingStore
) -> TableResult:
    """The best is always a version; it takes Production only through the gate."""
    spec = dataset.spec
    number = best.version or production.register(store, spec, best.run_id)
    champion = production.current_model(store, spec)
    if champion is not None and champion.version == number:
        decision = Decision(True, "it was there already")
    else:
        decision = decide(best.metrics, champion.metrics if champion else None)
        production.record_decision(store, spec, number, decision)
    if decision.promote:  # again too: it mends what an interruption left undone
        production.promote(store, spec, number, decision.reason, "gate")
    return TableResult(runs, best, number, decision)


class EpochLogger(Listener):
    """Keeps each epoch's figures and sends them to MLflow."""

    def __init__(self, log: RunLog) -> None:
        self.results: list[Epoch] = []
        self._log = log

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Batches are of no interest here."""

    def epoch(self, result: Epoch) -> None:
        """One point on each of MLflow's four curves."""
        self.results.append(result)
        figures = {k: getattr(result, k) for k in ("loss", "accuracy", "val_loss", "val_accuracy")}
        self._log.log_metrics(figures, step=result.epoch)
