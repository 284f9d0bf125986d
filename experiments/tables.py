"""Runs side by side, for the terminal: their figures in a table, their reasons and parameters below it."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from experiments.registry.run_log import RunSummary

PARAMETERS = ("architecture", "epochs", "learning_rate", "schedule", "batch_size", "seed")


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
