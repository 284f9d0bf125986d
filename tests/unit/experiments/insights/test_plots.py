"""Plots: what they show is read back from the figure."""

import numpy as np
import pytest

from experiments.insights.plots import confusion_matrix, curves, refusal, sweep
from experiments.training.progress import Epoch
from tests.helpers.figures import REFUSAL


@pytest.mark.parametrize("epochs", [1, 3, 40])
def test_curves_show_train_and_validation(epochs: int) -> None:
    history = [Epoch(n, 1 / n, 1 - 0.5 / n, 1.1 / n, 1 - 0.6 / n, epochs, 2.0) for n in range(1, epochs + 1)]
    figure = curves("a run", history)
    loss, accuracy = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in loss.lines] == ["train (augmented)", "validation"]
    assert list(accuracy.lines[1].get_ydata()) == [result.val_accuracy for result in history]
    figure.canvas.draw()


def test_confusion_counts_are_written_into_their_cells() -> None:
    figure = confusion_matrix("mistakes", np.array([[5, 2], [0, 7]]), ("cat", "dog"))
    cells = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert cells == {(0, 0): "5", (1, 0): "2", (1, 1): "7"}
    figure.canvas.draw()


def test_the_curve_of_rejections_has_the_model_on_it() -> None:
    figure = refusal(REFUSAL)
    curve, own = figure.axes[0].lines
    assert (list(own.get_xdata()), list(own.get_ydata())) == ([2.0], [90.0])
    assert (2.0, 90.0) in set(zip(curve.get_xdata(), curve.get_ydata(), strict=True))
    figure.canvas.draw()


@pytest.mark.parametrize("importances", [{"learning_rate": 0.7, "drawn": 0.3}, {}])
def test_the_course_of_a_sweep_and_what_mattered(importances) -> None:
    figure = sweep([(0, 0.91), (2, 0.9), (5, 0.97)], importances)
    course, mattered = figure.axes
    trials, best = course.lines
    assert (list(trials.get_xdata()), list(best.get_ydata())) == ([0, 2, 5], [91.0, 91.0, 97.0])
    assert [bar.get_width() for bar in mattered.patches] == sorted(100 * share for share in importances.values())
    assert mattered.get_title() == ("" if importances else "too few trials to tell")
    figure.canvas.draw()
