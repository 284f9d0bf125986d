"""The runs of a data set side by side: what each tried, what it measured, and why one of them is in Production."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rich.console import Console
from rich.table import Table

from experiments.data.specs import DatasetSpec
from experiments.evaluation.gate import SELECTION_METRICS, selection_score
from experiments.inference.bundle import Bundle
from experiments.insights import figures
from experiments.insights.figures import InsightsError
from experiments.registry import versions
from experiments.registry.locking import sqlite_file
from experiments.registry.run_log import RunSummary
from experiments.registry.store import TrackingStore
from experiments.training.progress import Epoch

METRICS = {  # of the official test set, with their titles
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
TITLES = METRICS | COSTS
SETTINGS = ("architecture", "epochs", "learning_rate", "schedule", "batch_size", "weight_decay", "seed")


@dataclass(frozen=True)
class RunComparison:
    """All runs of a data set, the oldest first. shipped: the store has none, so the shipped model stands alone."""

    dataset: str
    runs: tuple[RunSummary, ...]
    shipped: bool = False


def compare(store: TrackingStore, spec: DatasetSpec, bundle: Bundle) -> RunComparison:
    """The store's runs with their curves; where it has none, the one that made the bundle. Raises RegistryError."""
    current = versions.in_production(store, spec)
    current_run = current.run_id if current else None
    runs = tuple(
        replace(run, curves=store.curves(run.run_id), in_production=run.run_id == current_run)
        for run in store.runs(spec.name)
    )
    return RunComparison(spec.name, runs) if runs else shipped(bundle)


def shipped(bundle: Bundle) -> RunComparison:
    """The run that made a bundle, as its own folder describes it."""
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
        curves=_recorded_curves(bundle),
        in_production=True,
    )
    return RunComparison(bundle.dataset, (run,), shipped=True)


def store_exists(tracking_uri: str) -> bool:
    """Whether there is a store to read; opening a SQLite store that does not exist would create it."""
    file = sqlite_file(tracking_uri)
    return file is None or file.exists()


def curves_of_bundle(store: TrackingStore, bundle: Bundle) -> tuple[Epoch, ...]:
    """The curves of its run if the store has it, else those recorded with the bundle, else none."""
    if any(run.run_id == bundle.run_id for run in store.runs(bundle.dataset)):
        return store.curves(bundle.run_id)
    return _recorded_curves(bundle)


def summary(comparison: RunComparison) -> str:
    """How many runs there are, which is in Production, and why it won and by how much."""
    if comparison.shipped:
        return (
            f"The store has no runs of {comparison.dataset} yet; the model that came with the project answers. "
            f"`python -m experiments --dataset {comparison.dataset}` makes runs."
        )
    finished = [run for run in comparison.runs if run.status == "FINISHED"]
    others = len(comparison.runs) - len(finished)
    count = f"{len(finished)} finished {'run' if len(finished) == 1 else 'runs'}"
    count += f", {others} unfinished" if others else ""
    current = next((run for run in finished if run.in_production), None)
    if current is None:
        return f"{count}. None of them is in Production."
    return f"{count}. {_why(current, [run for run in finished if run is not current])}"


def cells(run: RunSummary, metrics: Sequence[str]) -> list[str]:
    """Metrics of a run in the units of their titles, a dash for what was not measured."""
    return [_cell(name, run.metrics.get(name)) for name in metrics]


def marked_title(run: RunSummary) -> str:
    """The run's title, with a star for the one in Production."""
    return f"{run.title} ★" if run.in_production else run.title


def settings_of(run: RunSummary) -> str:
    """The parameters that differ between runs: `architecture wide, epochs 2`."""
    return ", ".join(f"{name.replace('_', ' ')} {run.params[name]}" for name in SETTINGS if name in run.params)


def print_comparison(console: Console, runs: Sequence[RunSummary], title: str, best: str = "") -> None:
    """Print each run's figures, settings and reason; `best` is the id of the run to mark."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("run", overflow="fold", min_width=18)
    for heading in ("valid. %", "test %", "drawn %", "log loss", "min", "version", "status"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        marked = run.run_id == best
        table.add_row(
            f"{run.name} ★" if marked else run.name,
            *cells(run, ("validation_accuracy", "test_accuracy", "drawn_accuracy", "test_log_loss")),
            _cell("training_seconds", run.seconds),
            run.version or "–",
            run.status.lower(),
            style="bold" if marked else None,
        )
    console.print(table)
    for run in runs:
        settings = settings_of(run)
        console.print(f"[bold]{run.name}[/]: {run.reason}" + (f" [dim]({settings})[/]" if settings else ""))


def _why(current: RunSummary, others: Sequence[RunSummary]) -> str:
    rivals = [run for run in others if "validation_accuracy" in run.metrics]
    if not rivals:
        return f"{current.title} is in Production; there is no other to compare it with."
    rival = max(rivals, key=lambda run: selection_score(run.metrics))
    lead = " and ".join(
        f"{100 * (current.metrics[name] - rival.metrics[name]):+.2f} points {where}"
        for name, where in SELECTION_METRICS.items()
        if name in current.metrics and name in rival.metrics
    )
    ahead = selection_score(current.metrics) - selection_score(rival.metrics)
    rank = "because it is best" if ahead > 0 else "though it is not best" if ahead < 0 else "and as good as any"
    place = "the next best" if ahead > 0 else "the best of the others"
    return f"{current.title} is in Production {rank}: {lead} against {rival.title}, {place}.{_price(current, rival)}"


def _price(current: RunSummary, rival: RunSummary) -> str:
    """What the lead costs in training and in answering."""
    ratios = [
        f"{current.metrics[name] / rival.metrics[name]:.2g} times as long {purpose}"
        for name, purpose in (("training_seconds", "to train"), ("litert_milliseconds", "to answer"))
        if current.metrics.get(name) and rival.metrics.get(name)
    ]
    return f" It takes {' and '.join(ratios)}." if ratios else ""


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if TITLES[name].endswith("%"):
        return f"{100 * value:.2f}"
    if name == "training_seconds":
        return f"{value / 60:.1f}"
    return f"{value:,.0f}" if name == "parameters" else f"{value:.4f}" if value < 1 else f"{value:.3g}"


def _recorded_curves(bundle: Bundle) -> tuple[Epoch, ...]:
    try:
        return figures.read(bundle).curves
    except InsightsError:
        return ()
