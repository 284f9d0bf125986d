"""Run the rows of a table, choose the best on validation, register it, and let the gate decide about Production."""

import functools
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
from experiments.insights import plots
from experiments.insights.gate_report import gate_report, metrics_table
from experiments.registry import production
from experiments.registry.run_log import RunLog, RunSummary
from experiments.registry.store import RegistryError, TrackingStore
from experiments.registry.upkeep import bring_up_to_date
from experiments.runs.measure import measure
from experiments.runs.provenance import fingerprints, git_commit, parameters
from experiments.runs.resuming import claimed, end_abandoned, open_checkpoint
from experiments.training.checkpoints import Checkpoint
from experiments.training.config import PRODUCTION, RunConfig
from experiments.training.progress import Epoch, Listener, TerminalBar
from experiments.training.surgery import clone_of, unmirrored
from experiments.training.train import train


@dataclass(frozen=True)
class TableResult:
    """The runs of a table in order, the best of them, its version, and the gate's decision about it."""

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
    fresh: bool = False,
) -> TableResult:
    """Run the rows that have not finished before, then register the best and promote it if the gate lets it.

    A run that was interrupted goes on from its last finished epoch. fresh: it starts anew.
    """

    @functools.cache  # the rows share their images, which take minutes to make
    def extra_images(amounts: Amounts, seed: int) -> Split:
        return synthesise(amounts, dataset, seed)

    held_out_data = functools.cache(lambda: prepare_held_out(dataset))
    bring_up_to_date(store, dataset.spec, shipped, log_line)
    end_abandoned(store, dataset.spec.name)
    runs = []
    for row in configs:
        config = with_parent(row, store, dataset.spec)
        fingerprint, *earlier = fingerprints(config, dataset)
        with claimed(store, fingerprint, log_line):
            run = store.finished(dataset.spec.name, (fingerprint, *earlier))
            if run is not None:
                log_line(f"{config.name}: finished before, skipped")
            else:
                checkpoint = open_checkpoint(config, dataset, store, fingerprint, log_line, fresh)
                extra = extra_images(config.extra, config.seed)
                run = run_one(config, dataset, extra, held_out_data(), store, fingerprint, checkpoint)
        runs.append(run)
    best = max(runs, key=lambda run: selection_score(run.metrics))
    return TableResult(tuple(runs), best, *_register(best, store, dataset.spec))


def with_parent(config: RunConfig, store: TrackingStore, spec: DatasetSpec) -> RunConfig:
    """Replace the parent PRODUCTION by the Production model's run, and the network by that model's, weights and all.

    Raises RegistryError if there is none.
    """
    if config.parent != PRODUCTION:
        return config
    champion = production.pull(store, spec)
    if champion is None:
        raise RegistryError(f"{config.name} goes on from the Production model, and there is none. Run the table first.")
    network = keras.saving.load_model(champion.keras, compile=False, safe_mode=True)
    return replace(config, build=clone_of(unmirrored(network)), parent=champion.run_id)


def run_one(
    config: RunConfig,
    dataset: Dataset,
    extra: Split,
    held_out_data: HeldOut,
    store: TrackingStore,
    fingerprint: str,
    checkpoint: Checkpoint,
) -> RunSummary:
    """Train and measure one row of the table as one MLflow run, which keeps the exported bundle. The run of the
    checkpoint goes on, if there is one."""
    tags = {"fingerprint": fingerprint, "mlflow.source.git.commit": git_commit()}
    params, earlier = parameters(config, dataset), checkpoint.run_id
    with store.run(dataset.spec.name, config.name, config.reason, params, tags, run_id=earlier) as log:
        checkpoint.run_id = log.run_id
        log.log_dataset(dataset.spec.name, dataset.train, "training")
        log.log_dataset("generated images", extra, "training")
        bar, logger = TerminalBar(config.name, config.trainings * config.epochs), EpochLogger(log)
        for epoch in checkpoint.state.epochs if checkpoint.state else ():
            logger.resume(epoch, logged=log.run_id == earlier)
        try:
            model = train(config, dataset, extra, [bar, logger], checkpoint)
        finally:
            bar.close()
        seconds = sum(epoch.seconds for epoch in logger.epochs)
        log.log_metrics({"training_seconds": seconds, "parameters": model.count_params()})
        log.log_figure(plots.curves(f"{config.name}: {config.reason}", logger.epochs), "curves.png")
        measure(model, dataset, held_out_data, log, logger.epochs)
    checkpoint.delete()
    return next(run for run in store.runs(dataset.spec.name) if run.run_id == log.run_id)


def _register(best: RunSummary, store: TrackingStore, spec: DatasetSpec) -> tuple[str, Decision]:
    """Make the best run a version in any case; it takes Production only through the gate."""
    version = best.version or production.register(store, spec, best.run_id)
    champion = production.current_model(store, spec)
    if champion is not None and champion.version == version:
        decision = Decision(True, "it was there already")
    else:
        measured = champion.metrics if champion else None
        decision = decide(best.metrics, measured)
        report = gate_report(decision, metrics_table(best.metrics, measured))
        production.record_decision(store, spec, version, decision, report)
    if decision.promote:  # also when it was there already: this completes what an interruption left undone
        production.promote(store, spec, version, decision.reason, "gate")
    return version, decision


class EpochLogger(Listener):
    """Keeps each epoch and logs its figures to MLflow."""

    def __init__(self, log: RunLog) -> None:
        self.epochs: list[Epoch] = []
        self._log = log

    def resume(self, result: Epoch, logged: bool) -> None:
        """Keep an epoch of before an interruption. logged: MLflow's run has it."""
        if logged:
            self.epochs.append(result)
        else:
            self.epoch(result)

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Ignored: MLflow gets a point an epoch."""

    def epoch(self, result: Epoch) -> None:
        """Log one point on each of the four curves."""
        self.epochs.append(result)
        figures = {k: getattr(result, k) for k in ("loss", "accuracy", "val_loss", "val_accuracy")}
        self._log.log_metrics(figures, step=result.epoch)
