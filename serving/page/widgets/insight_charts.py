"""The plots of the Insights tab, each from a model's figures."""

from collections.abc import Sequence
from itertools import product

import numpy as np

from experiments.insights.data_sentences import ENOUGH
from experiments.insights.figures import UNITS, Insights, row_shares
from serving.page.widgets.charts import (
    AXIS,
    BLUE,
    CLASSES,
    GREEN,
    ORANGE,
    VIOLET,
    Chart,
    axis,
    bars,
    chart,
    epoch_axis,
    epoch_lines,
    lines,
)

CHANNELS = {"grey": "#64748b", "red": "#ef4444", "green": GREEN, "blue": BLUE}
SPLITS = {"train": BLUE, "validation": GREEN, "test": VIOLET, "traffic": ORANGE}
CATEGORY = {"type": "category"}  # else Plotly takes digits for numbers
CLASS = axis("class", **CATEGORY)
IMAGES = "%{x}: %{y:.1f} %, %{customdata} images"


def distribution(insights: Insights) -> Chart:
    """Shares of the classes by split, and in the traffic where it is known."""
    traces = [
        bars(insights.class_names, _percent(own, sum(own)), name, SPLITS[name], customdata=own, hovertemplate=IMAGES)
        for name, own in insights.counts.items()
        if sum(own) >= (ENOUGH if name == "traffic" else 1)
    ]
    return chart(traces, CLASS, axis("share, %"), barmode="group")


def variation(insights: Insights) -> Chart:
    """How much the images of a class differ from one another."""
    trace = bars(insights.class_names, insights.variation, "standard deviation", BLUE)
    return chart([trace], CLASS, axis("levels of 255"), showlegend=False)


def pixels(insights: Insights) -> Chart:
    """How many pixels are how bright, by channel."""
    traces = [
        bars(_middles(len(shares), 255), _percent(shares), name, CHANNELS[name])
        for name, shares in insights.channels.items()
    ]
    x, y = axis("level, 0 dark to 255 bright"), axis("share of pixels, %", type="log")
    return chart(traces, x, y, barmode="group")


def confusion(insights: Insights, rates: bool = False) -> Chart:
    """True by predicted class, as counts or rates. Colours show mistakes alone; right answers would dwarf them."""
    matrix, names = insights.matrix, insights.class_names
    shares = 100 * row_shares(matrix)
    mistakes = np.where(np.eye(len(names), dtype=bool), 0, shares)
    dark = mistakes > 0.8 * max(mistakes.max(), 1e-9)
    texts = [
        {
            "x": predicted,
            "y": true,
            "text": f"{shares[true, predicted]:.1f}" if rates else str(matrix[true, predicted]),
            "showarrow": False,
            "font": {"size": 11, "color": "#ffffff" if dark[true, predicted] else "#0f172a"},
        }
        for true, predicted in product(range(len(names)), repeat=2)
        if matrix[true, predicted]
    ]
    trace = {
        "type": "heatmap",
        "z": mistakes.tolist(),
        "x": names,
        "y": names,
        "customdata": matrix.tolist(),
        "colorscale": [[0, "#e2e8f0"], [0.5, "#fb923c"], [1, "#9a3412"]],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": "%{y} taken for %{x}: %{customdata}<extra></extra>",
    }
    x, y = axis("predicted", **CATEGORY), axis("true", autorange="reversed", **CATEGORY)
    return chart([trace], x, y, height=460, annotations=texts)


def per_class(insights: Insights) -> Chart:
    """Precision, recall and F1 of each class."""
    styles = (("precision", BLUE, "circle"), ("recall", ORANGE, "diamond"), ("F1", GREEN, "square"))
    hover = "%{x}: %{y:.2f} %"
    traces = []
    for (name, colour, symbol), values in zip(styles, insights.scores(), strict=True):
        marker = {"color": colour, "size": 11, "symbol": symbol}
        trace = lines(insights.class_names, _percent(values), name, colour, mode="markers", marker=marker)
        traces.append(trace | {"hovertemplate": hover})
    return chart(traces, CLASS, axis("%"))


def roc(insights: Insights) -> Chart:
    """One curve a class; the left edge, where they differ, is stretched."""
    traces = []
    for name, curve, colour in zip(insights.class_names, insights.roc, CLASSES, strict=False):
        x, y = _percent(curve.false_positives[1:]), _percent(curve.true_positives[1:])
        traces.append(lines(x, y, f"{name} ({curve.area:.5f})", colour, line={"color": colour, "shape": "hv"}))
    x_axis = axis("false positive rate, %", type="log", dtick=1)
    return chart(traces, x_axis, axis("true positive rate, %"), height=420)


def reliability(insights: Insights) -> Chart:
    """Confidence against accuracy; larger dots stand for more answers."""
    bins = insights.calibration
    counts = [step.count for step in bins]
    measured = lines(
        _percent([step.confidence for step in bins]),
        _percent([step.accuracy for step in bins]),
        "model",
        BLUE,
        mode="lines+markers",
        marker={"color": BLUE, "size": (8 + 5 * np.log10(counts)).tolist()},
        customdata=counts,
        hovertemplate="confidence %{x:.1f} %, right %{y:.1f} %, %{customdata} answers<extra></extra>",
    )
    ideal = lines([0, 100], [0, 100], "ideal", "#94a3b8", line={"color": "#94a3b8", "dash": "dot"})
    return chart([ideal, measured], axis("confidence, %"), axis("right, %"))


def confidence(insights: Insights) -> Chart:
    """How confident right and wrong answers are."""
    middles = _middles(len(insights.right), 100)
    traces = [bars(middles, insights.right, "right", BLUE), bars(middles, insights.wrong, "wrong", ORANGE)]
    return chart(traces, axis("confidence, %"), axis("answers", type="log"), barmode="group")


def drawings(insights: Insights) -> Chart:
    """Accuracy by size, brush and turn, side by side, with 95 % intervals."""
    traces, axes = [], {}
    for place, (factor, groups) in enumerate(insights.drawings.items()):
        number = str(place + 1) if place else ""
        share = np.array([group.accuracy for group in groups])
        low, high = np.array([group.interval() for group in groups]).T
        error = {"type": "data", "symmetric": False, "color": "#64748b"}
        error |= {"array": _percent(high - share), "arrayminus": _percent(share - low)}
        dots = {"mode": "markers", "marker": {"color": BLUE, "size": 10}, "error_y": error, "xaxis": f"x{number}"}
        traces.append(lines([group.bounds(factor) for group in groups], _percent(share), factor, BLUE, **dots))
        third = [place / 3 + 0.02, (place + 1) / 3 - 0.02]
        axes[f"xaxis{number}"] = AXIS | axis(f"{factor}, {UNITS[factor]}", domain=third, **CATEGORY)
    return chart(traces, {}, axis("right, %"), showlegend=False, **axes)


def refusal(insights: Insights) -> Chart:
    """Non-digits rejected by digits rejected, at every threshold; a dot at the model's own."""
    curve = insights.refusal
    if curve is None:
        return chart([], {}, {})
    digits, non_digits = curve.at_threshold()
    hover = {"customdata": curve.thresholds, "hovertemplate": "above %{customdata:.2f}: %{x:.2f} %, %{y:.2f} %"}
    traces = [
        lines(_percent(curve.digits), _percent(curve.non_digits), "by threshold", BLUE, **hover),
        lines(_percent([digits]), _percent([non_digits]), "the model's", ORANGE, mode="markers", marker={"size": 11}),
    ]
    return chart(traces, axis("digits rejected, %"), axis("non-digits rejected, %"))


def curves(insights: Insights) -> Chart:
    """Accuracy and loss by epoch, train and validation."""
    traces = []
    for split, prefix, colour in (("training", "", ORANGE), ("validation", "val_", BLUE)):
        dotted = {"line": {"color": colour, "dash": "dot"}, "yaxis": "y2"}
        traces.append(epoch_lines(insights.curves, f"{prefix}accuracy", f"{split} accuracy", colour))
        traces.append(epoch_lines(insights.curves, f"{prefix}loss", f"{split} loss", colour, **dotted))
    loss = AXIS | axis("loss", type="log", overlaying="y", side="right", showgrid=False)
    return chart(traces, epoch_axis(len(insights.curves)), axis("accuracy, %"), yaxis2=loss)


def embedding(insights: Insights) -> Chart:
    """The map of the test images; mistakes are crosses."""
    names, traces = insights.class_names, []
    for k, (name, colour) in enumerate(zip(names, CLASSES, strict=False)):
        own = [point for point in insights.points if point.true == k]
        right = [point.predicted == k for point in own]
        marker = {
            "color": colour,
            "size": [6 if correct else 11 for correct in right],
            "symbol": ["circle" if correct else "x" for correct in right],
        }
        texts = [f"{name}, answered {names[point.predicted]} with {100 * point.confidence:.0f} %" for point in own]
        x, y = [point.x for point in own], [point.y for point in own]
        hover = {"text": texts, "hovertemplate": "%{text}<extra></extra>"}
        traces.append(lines(x, y, name, colour, mode="markers", marker=marker, **hover))
    hidden = {"visible": False}
    return chart(traces, hidden, hidden, height=480)


def _percent(values: Sequence[float] | np.ndarray, total: float = 1) -> list[float]:
    percents: list[float] = (100 * np.asarray(values, float) / max(total, 1e-9)).round(4).tolist()
    return percents


def _middles(count: int, top: float) -> list[float]:
    """The middles of so many equal steps from 0."""
    return [round((step + 0.5) * top / count, 2) for step in range(count)]
