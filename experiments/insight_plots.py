"""The figures of a model and its runs as Matplotlib draws them, for the report."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.insights import Insights
from experiments.ledger import Entry
from experiments.plots import TRAIN, VALIDATION

PLOTTED = 8  # runs: more lines can't be told apart


def png(figure: Figure) -> bytes:
    """The figure, encoded."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def runs(entries: Sequence[Entry]) -> Figure:
    """Validation accuracy and loss of the newest runs by epoch."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    shown = [entry for entry in entries if entry.curves][-PLOTTED:]
    for axes, field in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for position, entry in enumerate(shown):
            epochs = [each.epoch for each in entry.curves]
            colour, width = f"C{position}", 2.5 if entry.chosen else 1.2
            axes.plot(
                epochs,
                [getattr(each, f"val_{field}") for each in entry.curves],
                color=colour,
                lw=width,
                label=entry.name,
            )
            axes.plot(epochs, [getattr(each, field) for each in entry.curves], color=colour, lw=width, ls=":")
        axes.set(xlabel="epoch", ylabel=f"{field} (validation; dotted: training)")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def classes(insights: Insights) -> Figure:
    """Shares of the classes by split, and F1 of each."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    places = np.arange(len(insights.class_names))
    for position, (name, counts) in enumerate(insights.counts.items()):
        left.bar(places + 0.27 * (position - 1), 100 * np.array(counts) / max(sum(counts), 1), 0.26, label=name)
    left.set(ylabel="share of images, %", xticks=places)
    left.legend(fontsize=8)
    for name, values, mark in zip(("precision", "recall", "F1"), insights.scores(), "o^_", strict=True):
        right.plot(places, 100 * values, mark, label=name)
    right.set(ylabel="%", xticks=places)
    right.grid(alpha=0.3)
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.set_xticklabels(insights.class_names, rotation=45 if max(map(len, insights.class_names)) > 2 else 0)
    return figure


def trust(insights: Insights) -> Figure:
    """Reliability, and how confident right and wrong answers are."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = insights.calibration
    left.plot([0, 100], [0, 100], ":", color="grey")
    left.plot(
        [100 * each.confidence for each in steps], [100 * each.accuracy for each in steps], "o-", color=VALIDATION
    )
    left.set(xlabel="confidence, %", ylabel="right, %")
    left.grid(alpha=0.3)
    middles = (np.arange(len(insights.right)) + 0.5) * 100 / len(insights.right)
    right.bar(middles - 1, insights.right, 2, color=VALIDATION, label="right")
    right.bar(middles + 1, insights.wrong, 2, color=TRAIN, label="wrong")
    right.set(xlabel="confidence, %", ylabel="answers", yscale="log")
    right.legend(fontsize=8)
    return figure


def drawings(insights: Insights) -> Figure:
    """The share of drawings read right by size, brush and turn."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    for axes, (name, groups) in zip(figure.subplots(1, 3, sharey=True), insights.drawings.items(), strict=True):
        scale, unit = (100, "% of the pad") if name == "size" else (1, "px" if name == "brush" else "degrees")
        steps = [f"{scale * group.low:g} to {scale * group.high:g}" for group in groups]
        shares = np.array([group.accuracy for group in groups])
        error = 196 * np.sqrt(shares * (1 - shares) / np.array([group.count for group in groups]))
        axes.errorbar(steps, 100 * shares, error, fmt="o", color=VALIDATION)
        axes.set(xlabel=f"{name}, {unit}")
        axes.grid(alpha=0.3)
    figure.axes[0].set(ylabel="right, %")
    return figure


def embedding(insights: Insights) -> Figure:
    """The map of test images."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    for k, name in enumerate(insights.class_names):
        own = [point for point in insights.points if point.true == k]
        axes.scatter([each.x for each in own], [each.y for each in own], s=6, color=f"C{k % 10}", label=name)
    axes.legend(fontsize=8, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
