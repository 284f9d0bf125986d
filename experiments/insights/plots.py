"""Matplotlib figures of a model and its runs, for MLflow and the report."""

import io
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.insights.figures import UNITS, Insights, Refusal, row_shares
from experiments.registry.run_log import RunSummary
from experiments.training.progress import Epoch

TRAIN, VALIDATION = "#d1495b", "#2e6f9e"
PLOTTED = 8  # runs: more lines can't be told apart


def png(figure: Figure, dpi: int = 110) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def runs(summaries: Sequence[RunSummary]) -> Figure:
    """Validation accuracy and loss of the newest runs by epoch, those of training dotted."""
    figure, (left, right) = _side_by_side(3.6)
    for position, run in enumerate([run for run in summaries if run.curves][-PLOTTED:]):
        style = {"color": f"C{position}", "lw": 2.5 if run.in_production else 1.2}
        for axes, name in ((left, "accuracy"), (right, "loss")):
            _by_epoch(axes, run.curves, f"val_{name}", label=run.title, **style)
            _by_epoch(axes, run.curves, name, ls=":", **style)
    for axes, name in ((left, "accuracy"), (right, "loss")):
        _finish(axes, xlabel="epoch (dotted: training)", ylabel=name)
    return figure


def curves(title: str, epochs: Sequence[Epoch]) -> Figure:
    """Loss and accuracy by epoch, train and validation."""
    figure, pair = _side_by_side(3.6)
    figure.suptitle(title)
    ticks = [epoch.epoch for epoch in epochs][:: max(1, len(epochs) // 10)]
    for axes, name in zip(pair, ("loss", "accuracy"), strict=True):
        _by_epoch(axes, epochs, name, marker="o", color=TRAIN, label="train (augmented)")
        _by_epoch(axes, epochs, f"val_{name}", marker="s", color=VALIDATION, label="validation")
        _finish(axes, xlabel="epoch", ylabel=name, xticks=ticks)
    return figure


def classes(insights: Insights) -> Figure:
    """Shares of the classes by split; precision, recall and F1 of each class."""
    figure, (left, right) = _side_by_side(3.4)
    places = np.arange(len(insights.class_names))
    for position, (name, counts) in enumerate(insights.counts.items()):
        left.bar(places + 0.27 * (position - 1), 100 * np.array(counts) / max(sum(counts), 1), 0.26, label=name)
    for name, values, marker in zip(("precision", "recall", "F1"), insights.scores(), "o^_", strict=True):
        right.plot(places, 100 * values, marker, label=name)
    for axes, label in ((left, "share of images, %"), (right, "%")):
        _finish(axes, ylabel=label, grid=axes is right)
        axes.set_xticks(places, insights.class_names, **_slanted(insights.class_names))
    return figure


def trust(insights: Insights) -> Figure:
    """Reliability, and how confident right and wrong answers are."""
    figure, (left, right) = _side_by_side(3.4)
    bins = insights.calibration
    left.plot([0, 100], [0, 100], ":", color="grey")
    left.plot([100 * step.confidence for step in bins], [100 * step.accuracy for step in bins], "o-", color=VALIDATION)
    left.set(xlabel="confidence, %", ylabel="right, %")
    left.grid(alpha=0.3)
    middles = (np.arange(len(insights.right)) + 0.5) * 100 / len(insights.right)
    right.bar(middles - 1, insights.right, 2, color=VALIDATION, label="right")
    right.bar(middles + 1, insights.wrong, 2, color=TRAIN, label="wrong")
    _finish(right, xlabel="confidence, %", ylabel="answers", yscale="log", grid=False)
    return figure


def drawings(insights: Insights) -> Figure:
    """Accuracy on drawings by size, brush and turn, with 95 % intervals."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    for axes, (factor, groups) in zip(figure.subplots(1, 3, sharey=True), insights.drawings.items(), strict=True):
        shares = 100 * np.array([group.accuracy for group in groups])
        ends = 100 * np.array([group.interval() for group in groups]).T
        bounds = [group.bounds(factor).replace(" to ", "\nto ") for group in groups]
        axes.errorbar(bounds, shares, np.abs(ends - shares), fmt="o", color=VALIDATION)
        axes.set(xlabel=f"{factor}, {UNITS[factor]}")
        axes.grid(alpha=0.3)
    figure.axes[0].set(ylabel="right, %")
    return figure


def refusal(curve: Refusal) -> Figure:
    """The share of non-digits that is rejected by that of digits, at every threshold."""
    digits, non_digits = curve.at_threshold()
    own = f"at the model's threshold, {curve.threshold:.3f}"
    return rejections(
        {f"held out (AUROC {curve.area:.4f})": (curve.digits, curve.non_digits)}, (own, digits, non_digits)
    )


def rejections(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], mark: tuple[str, float, float] | None = None
) -> Figure:
    """curves: by name, shares of digits and of something else rejected at the same thresholds; mark: the name of one
    such pair, and the pair."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, (digits, others) in curves.items():
        axes.plot(100 * np.array(digits), 100 * np.array(others), label=name)
    if mark is not None:
        axes.plot([100 * mark[1]], [100 * mark[2]], "o", color=TRAIN, label=mark[0])
    _finish(axes, xlabel="digits rejected, %", ylabel="others rejected, %")
    return figure


def embedding(insights: Insights) -> Figure:
    """The map of test images."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    for k, name in enumerate(insights.class_names):
        own = [point for point in insights.points if point.true == k]
        axes.scatter([point.x for point in own], [point.y for point in own], s=6, color=f"C{k % 10}", label=name)
    axes.legend(fontsize=8, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def confusion_matrix(title: str, confusion: np.ndarray, class_names: Sequence[str]) -> Figure:
    """confusion: int64 [K, K], true by predicted. Colours show the mistakes' share of their class."""
    figure = Figure(figsize=(6.4, 5.8), layout="constrained")
    axes = figure.subplots()
    mistakes = np.where(np.eye(len(confusion), dtype=bool), 0, row_shares(confusion))
    image = axes.imshow(100 * mistakes, cmap="Reds", vmin=0)
    figure.colorbar(image, ax=axes, shrink=0.8, label="mistakes, % of the true class")
    dark = mistakes > 0.6 * max(mistakes.max(), 1e-9)
    for (true, predicted), count in np.ndenumerate(confusion):
        if count:
            weight = "bold" if true == predicted else "normal"
            colour = "white" if dark[true, predicted] else "black"
            axes.text(predicted, true, str(count), ha="center", va="center", color=colour, weight=weight, size=8)
    axes.set(title=title, xlabel="predicted", ylabel="true")
    axes.set_xticks(range(len(class_names)), class_names, **_slanted(class_names))
    axes.set_yticks(range(len(class_names)), class_names)
    return figure


def contact_sheet(title: str, pictures: Sequence[tuple[np.ndarray, str]], columns: int = 10) -> Figure:
    """pictures: images uint8 [H, W, C], 0 = paper, with their captions."""
    rows = max(1, -(-len(pictures) // columns))
    figure = Figure(figsize=(1.2 * columns, 1.45 * rows + 0.5), layout="constrained")
    figure.suptitle(title if pictures else f"{title}: none")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    for axes, (image, caption) in zip(figure.axes, pictures, strict=False):
        axes.imshow(255 - image.squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_title(caption, size=8)
    return figure


def sweep(history: Sequence[tuple[int, float]], importances: Mapping[str, float]) -> Figure:
    """The score of each completed trial by its number, with the best so far; each setting's share in its variance."""
    figure, (left, right) = _side_by_side(3.6)
    numbers, scores = [number for number, _ in history], [100 * score for _, score in history]
    left.plot(numbers, scores, "o", color=TRAIN, label="trials")
    left.step(numbers, list(accumulate(scores, max)), where="post", color=VALIDATION, label="best so far")
    _finish(left, xlabel="trial", ylabel="score (validation, drawings), %")
    names = sorted(importances, key=lambda name: importances[name])
    right.barh(
        [name.replace("_", " ") for name in names], [100 * importances[name] for name in names], color=VALIDATION
    )
    right.set(xlabel="share in the variance of the score, %")
    if not names:
        right.set_title("too few trials to tell", size=9)
    return figure


def _side_by_side(height: float) -> tuple[Figure, Sequence[Axes]]:
    """Two plots of so many inches."""
    figure = Figure(figsize=(9, height), layout="constrained")
    return figure, figure.subplots(1, 2)


def _by_epoch(axes: Axes, epochs: Sequence[Epoch], name: str, **style: Any) -> None:
    """name: a field of an epoch."""
    axes.plot([epoch.epoch for epoch in epochs], [getattr(epoch, name) for epoch in epochs], **style)


def _finish(axes: Axes, grid: bool = True, **labels: Any) -> None:
    axes.set(**labels)
    if grid:
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _slanted(class_names: Sequence[str]) -> dict[str, Any]:
    """How the names of classes stand at an axis: words slanted, with their end at its tick."""
    is_long = max(map(len, class_names)) > 2
    return {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
