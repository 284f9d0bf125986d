"""The pictures of a run, as matplotlib figures without global state."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.training.progress import EpochResult

TRAIN, VALIDATION = "#d1495b", "#2e6f9e"


def curves(title: str, history: Sequence[EpochResult]) -> Figure:
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
