"""The runs of a data set side by side: what each tried, what came of it, and why the one in Production is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.data.specs import DatasetSpec
from experiments.evaluation.gate import SELECTION_METRICS, selection_score
from experiments.inference.bundle import Bundle
from experiments.insights import figures
from experiments.insights.figures import InsightsError
from experiments.registry import production
from experiments.registry.run_log import RunSummary
from experiments.registry.store import TrackingStore
from experiments.training.progress import Epoch

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
PARAMETERS = ("architecture", "epochs", "learning_rate", "schedule", "batch_size", "seed")
METRICS = {  # of the official test set, and how they are called
    "test_accuracy": "accuracy, %",
    "test_precision": "precision, %",
    "test_recall": "recall, %",
    "test_f1": "F1, %",
    "test_roc_auc": "ROC AUC",
    "test_top2_accuracy": "top 2, %",
    "test_log_loss": "log loss",
    "test_calibration_error": "calibration error, %",
    "validation_accuracy": "validation, %",
}
COSTS = {
    "drawn_accuracy": "drawings, %",
    "training_seconds": "training, min",
    "parameters": "parameters",
    "model_megabytes": "size, MB",
    "litert_milliseconds": "LiteRT, ms",
}
SETTINGS = ("architecture", "epochs", "learning_rate", "schedule", "batch_size", "weight_decay", "seed")


@dataclass(frozen=True)
class RunRow:
    """One run with its training curves. link: its page in the MLflow UI, empty where no server has one."""

    run: RunSummary
    curves: tuple[Epoch, ...]
    chosen: bool
    link: str = ""

    @property
    def name(self) -> str:
        """Of the run, with its version in the registry if it has one."""
        return f"{self.run.name} (v{self.run.version})" if self.run.version else self.run.name


@dataclass(frozen=True)
class RunComparison:
    """All runs of a data set, the oldest first. shipped: nothing is in the store, so the shipped model stands alone."""

    dataset: str
    entries: tuple[RunRow, ...]
    shipped: bool = False


def read(store: TrackingStore, spec: DatasetSpec) -> RunComparison:
    """Everything that the store has of this data set. Raises RegistryError."""
    champion = production.current_model(store, spec)
    chosen = champion.run_id if champion else ""
    with store.translate_errors():
        experiment = store.client.get_experiment_by_name(spec.name)
    base = f"{store.tracking_uri.rstrip('/')}/#/experiments/{experiment.experiment_id}/runs" if experiment else ""
    entries = (
        RunRow(
            run,
            curves_of_run(store, run.run_id),
            run.run_id == chosen,
            f"{base}/{run.run_id}" if store.tracking_uri.startswith("http") else "",
        )
        for run in store.runs(spec.name)
    )
    return RunComparison(spec.name, tuple(entries))


def exists(tracking_uri: str) -> bool:
    """Whether there is a store to read; asking for one that is not there would make it."""
    return not tracking_uri.startswith("sqlite:///") or Path(tracking_uri.removeprefix("sqlite:///")).exists()


def from_bundle(bundle: Bundle) -> RunComparison:
    """What a model's own folder tells of the run that made it."""
    try:
        curves = figures.read(bundle).curves
    except InsightsError:
        curves = ()
    run = RunSummary(
        run_id=bundle.run_id,
        name="shipped",
        reason="The model that came with the project.",
        status="FINISHED",
        started=datetime.fromisoformat(bundle.trained_at),
        seconds=None,
        params={},
        metrics=bundle.metrics,
        tags={},
        version=bundle.version or None,
    )
    return RunComparison(bundle.dataset, (RunRow(run, curves, chosen=True),), shipped=True)


def summary(ledger: RunComparison) -> str:
    """How many runs there are, which is in Production, and why it won and by how much."""
    finished = [entry for entry in ledger.entries if entry.run.status == "FINISHED"]
    chosen = next((entry for entry in finished if entry.chosen), None)
    if ledger.shipped:
        return f"The store has no runs of {ledger.dataset} yet; the model that came with the project answers."
    if not ledger.entries:
        command = f"python -m experiments --dataset {ledger.dataset}"
        return f"There are no runs of {ledger.dataset} yet. `{command}` makes them."
    others = len(ledger.entries) - len(finished)
    told = f"{len(finished)} finished {_runs(len(finished))}" + (f", {others} others" if others else "")
    if chosen is None:
        return f"{told}. None of them is in Production."
    return f"{told}. {_why(chosen, [entry for entry in finished if entry is not chosen])}"


def _why(chosen: RunRow, others: Sequence[RunRow]) -> str:
    rivals = [entry for entry in others if "validation_accuracy" in entry.run.metrics]
    here = f"{chosen.name} is in Production"
    if not rivals:
        return f"{here}; there is no other to compare it with."
    rival = max(rivals, key=lambda entry: selection_score(entry.run.metrics))
    lead = [
        f"{100 * (chosen.run.metrics[name] - rival.run.metrics[name]):+.2f} points {where}"
        for name, where in SELECTION_METRICS.items()
        if name in chosen.run.metrics and name in rival.run.metrics
    ]
    ahead = selection_score(chosen.run.metrics) - selection_score(rival.run.metrics)
    how = "because it is best" if ahead > 0 else "though it is not best" if ahead < 0 else "and as good as any"
    place = "the next best" if ahead > 0 else "the best of the others"
    return f"{here} {how}: {' and '.join(lead)} against {rival.name}, {place}.{_price(chosen, rival)}"


def _price(chosen: RunRow, rival: RunRow) -> str:
    """What the lead costs in training and in answering."""
    told = []
    for name, what in (("training_seconds", "to train"), ("litert_milliseconds", "to answer")):
        one, other = (entry.run.metrics.get(name) for entry in (chosen, rival))
        if one and other:
            times = max(one, other) / min(one, other)
            told.append(f"{times:.1f} times as {'long' if one >= other else 'short'} {what}")
    return f" It takes {' and '.join(told)}." if told else ""


def cells(entry: RunRow, names: Sequence[str]) -> list[str]:
    """Metrics of a run as texts, a dash for what was not measured."""
    return [_said(name, entry.run.metrics.get(name)) for name in names]


def settings_of(entry: RunRow) -> str:
    """The parameters that differ between runs, in words."""
    params = entry.run.params
    return ", ".join(f"{name.replace('_', ' ')} {params[name]}" for name in SETTINGS if name in params)


def _said(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    title = {**METRICS, **COSTS}[name]
    if title.endswith("%"):
        return f"{100 * value:.2f}"
    if name == "training_seconds":
        return f"{value / 60:.1f}"
    return f"{value:,.0f}" if name == "parameters" else f"{value:.4f}" if value < 1 else f"{value:.3g}"


def _runs(count: int) -> str:
    return "run" if count == 1 else "runs"


def print_comparison(console: Console, runs: Sequence[RunSummary], title: str, best: str = "") -> None:
    """Each run's figures, parameters and reason; `best` is the id of the run to mark."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("run", overflow="fold", min_width=18)
    for heading in ("valid. %", "test %", "drawn %", "log loss", "min", "version", "status"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        marked = run.run_id == best
        table.add_row(
            f"{run.name} ★" if marked else run.name,
            *(_percent(run, metric) for metric in ("validation_accuracy", "test_accuracy", "drawn_accuracy")),
            f"{run.metrics['test_log_loss']:.4f}" if "test_log_loss" in run.metrics else "–",
            "–" if run.seconds is None else f"{run.seconds / 60:.1f}",
            run.version or "–",
            run.status.lower(),
            style="bold" if marked else None,
        )
    console.print(table)
    for run in runs:
        parameters = ", ".join(f"{name} {run.params[name]}" for name in PARAMETERS if name in run.params)
        console.print(f"[bold]{run.name}[/]: {run.reason}" + (f" [dim]({parameters})[/]" if parameters else ""))


def _percent(run: RunSummary, metric: str) -> str:
    return f"{100 * run.metrics[metric]:.2f}" if metric in run.metrics else "–"


def curves_of_run(store: TrackingStore, run_id: str) -> tuple[Epoch, ...]:
    """By epoch, as far as all four were logged; none for a run in which nothing was trained."""
    with store.translate_errors():
        found = [
            {point.step: point.value for point in store.client.get_metric_history(run_id, name)} for name in CURVES
        ]
    loss, accuracy, val_loss, val_accuracy = found
    epochs = sorted(set.intersection(*map(set, found)))
    return tuple(Epoch(n, loss[n], accuracy[n], val_loss[n], val_accuracy[n]) for n in epochs)


def curves_of_bundle(bundle: Bundle, store: TrackingStore) -> tuple[Epoch, ...]:
    """From its run if the store has it, else as they were kept with it, else none."""
    if any(run.run_id == bundle.run_id for run in store.runs(bundle.dataset)):
        return curves_of_run(store, bundle.run_id)
    try:
        return figures.read(bundle).curves
    except InsightsError:
        return ()
