"""The figures of a model and its runs as Matplotlib draws them, for the report."""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.insights.figures import Insights
from experiments.insights.run_comparison import RunRow
from experiments.training.progress import Epoch

TRAIN, VALIDATION = "#d1495b", "#2e6f9e"
PLOTTED = 8  # runs: more lines can't be told apart


def png(figure: Figure) -> bytes:
    """The figure, encoded."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def runs(entries: Sequence[RunRow]) -> Figure:
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


def curves(title: str, history: Sequence[Epoch]) -> Figure:
    """Loss and accuracy by epoch, train and validation side by side."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    epochs = [result.epoch for result in history]
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        train = [getattr(result, metric) for result in history]
        validation = [getattr(result, f"val_{metric}") for result in history]
        axes.plot(epochs, train, "o-", color=TRAIN, label="train (augmented)")
        axes.plot(epochs, validation, "s-", color=VALIDATION, label="validation")
        axes.set(xlabel="epoch", ylabel=metric, xticks=epochs[:: max(1, len(epochs) // 10)])
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def confusion_matrix(title: str, confusion: np.ndarray, class_names: Sequence[str]) -> Figure:
    """confusion: int64 [K, K], true by predicted. Colours show the mistakes' share of their class."""
    figure = Figure(figsize=(6.4, 5.8), layout="constrained")
    axes = figure.subplots()
    rates = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    mistakes = np.where(np.eye(len(confusion), dtype=bool), 0, rates)
    image = axes.imshow(100 * mistakes, cmap="Reds", vmin=0)
    figure.colorbar(image, ax=axes, shrink=0.8, label="mistakes, % of the true class")
    dark = mistakes > 0.6 * max(mistakes.max(), 1e-9)
    for (true, predicted), count in np.ndenumerate(confusion):
        if count:
            weight = "bold" if true == predicted else "normal"
            colour = "white" if dark[true, predicted] else "black"
            axes.text(predicted, true, str(count), ha="center", va="center", color=colour, weight=weight, size=8)
    ticks = range(len(class_names))
    axes.set(title=title, xlabel="predicted", ylabel="true", xticks=ticks, yticks=ticks)
    axes.set_xticklabels(class_names, rotation=45 if max(map(len, class_names)) > 2 else 0)
    axes.set_yticklabels(class_names)
    return figure


def contact_sheet(title: str, pictures: Sequence[tuple[np.ndarray, str]], columns: int = 10) -> Figure:
    """pictures: images uint8 [H, W, C], 0 = paper, with a caption each, side by side."""
    rows = max(1, -(-len(pictures) // columns))
    figure = Figure(figsize=(1.2 * columns, 1.45 * rows + 0.5), layout="constrained")
    figure.suptitle(title if pictures else f"{title}: none")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, (image, caption) in zip(figure.axes, pictures, strict=False):
        axes.imshow(255 - image.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_title(caption, size=8)
    return figure
