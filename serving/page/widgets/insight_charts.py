"""The plots of the Insights tab, each from a model's figures."""

from itertools import product

import numpy as np

from experiments.insights.data_sentences import ENOUGH
from experiments.insights.figures import Group, Insights
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
    lines,
)

CHANNELS = {"grey": "#64748b", "red": "#ef4444", "green": GREEN, "blue": BLUE}
SYMBOLS = ("circle", "diamond", "square")
CATEGORY = {"type": "category"}  # else digits are numbers to it
IMAGES = "%{x}: %{y:.1f} %, %{customdata} images"
UNITS = {"size": "size, % of the pad", "brush": "brush, px", "turn": "turn, degrees"}


def distribution(insights: Insights) -> Chart:
    """Shares of the classes by split, and in the traffic where it is known."""
    names, colours = insights.class_names, {"train": BLUE, "validation": GREEN, "test": VIOLET, "traffic": ORANGE}
    traces = [
        bars(names, _percent(own, sum(own)), name, colours[name], customdata=own, hovertemplate=IMAGES)
        for name, own in insights.counts.items()
        if sum(own) >= (ENOUGH if name == "traffic" else 1)
    ]
    return chart(traces, axis("class", **CATEGORY), axis("share, %"), barmode="group")


def variation(insights: Insights) -> Chart:
    """How much the images of a class differ from one another."""
    trace = bars(insights.class_names, insights.variation, "standard deviation", BLUE)
    return chart([trace], axis("class", **CATEGORY), axis("levels of 255"), showlegend=False)


def pixels(insights: Insights) -> Chart:
    """How many pixels are how bright, by channel."""
    traces = [
        bars(_middles(len(shares), 255), _percent(shares, 1), name, CHANNELS[name])
        for name, shares in insights.channels.items()
    ]
    return chart(traces, axis("level, 0 dark to 255 bright"), axis("share of pixels, %", type="log"), barmode="group")


def confusion(insights: Insights, rates: bool = False) -> Chart:
    """True by predicted class, as counts or as rates. Colours show the mistakes alone, which the right ones dwarf."""
    matrix, names = insights.matrix, insights.class_names
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    mistakes = np.where(np.eye(len(names), dtype=bool), 0, shares)
    dark = mistakes > 0.8 * max(mistakes.max(), 1e-9)
    texts = [
        {
            "x": predicted,
            "y": true,
            "text": (f"{shares[true, predicted]:.1f}" if rates else str(matrix[true, predicted])),
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
    columns = zip(("precision", "recall", "F1"), insights.scores(), (BLUE, ORANGE, GREEN), SYMBOLS, strict=True)
    traces = [
        lines(
            insights.class_names,
            _percent(values, 1),
            name,
            colour,
            mode="markers",
            marker={"color": colour, "size": 11, "symbol": symbol},
            hovertemplate="%{x}: %{y:.2f} %",
        )
        for name, values, colour, symbol in columns
    ]
    return chart(traces, axis("class", **CATEGORY), axis("%"))


def roc(insights: Insights) -> Chart:
    """One curve a class; the left edge, where they differ, is stretched."""
    traces = [
        lines(
            _percent(each.false_positives[1:], 1),
            _percent(each.true_positives[1:], 1),
            f"{name} ({each.area:.5f})",
            colour,
            line={"color": colour, "shape": "hv"},
        )
        for name, each, colour in zip(insights.class_names, insights.roc, CLASSES, strict=False)
    ]
    x = axis("others taken for it, %", type="log", dtick=1)
    return chart(traces, x, axis("of its own found, %"), height=420)


def reliability(insights: Insights) -> Chart:
    """Confidence against the share that is right; the dots' size says how many answers."""
    steps = insights.calibration
    sizes = [float(8 + 5 * np.log10(each.count)) for each in steps]
    dots = {"color": BLUE, "size": sizes}
    x, y = ([100 * getattr(each, name) for each in steps] for name in ("confidence", "accuracy"))
    counts = [each.count for each in steps]
    hover = "confidence %{x:.1f} %, right %{y:.1f} %, %{customdata} answers<extra></extra>"
    measured = lines(x, y, "model", BLUE, mode="lines+markers", marker=dots, customdata=counts, hovertemplate=hover)
    ideal = lines([0, 100], [0, 100], "as it should be", "#94a3b8", line={"color": "#94a3b8", "dash": "dot"})
    return chart([ideal, measured], axis("confidence, %"), axis("right, %"))


def confidence(insights: Insights) -> Chart:
    """How confident right and wrong answers are."""
    middles = _middles(len(insights.right), 100)
    traces = [bars(middles, insights.right, "right", BLUE), bars(middles, insights.wrong, "wrong", ORANGE)]
    return chart(traces, axis("confidence, %"), axis("answers", type="log"), barmode="group")


def drawings(insights: Insights) -> Chart:
    """The share read right by size, brush and turn, side by side, each with its 95 % interval."""
    traces, axes = [], {}
    for place, (name, groups) in enumerate(insights.drawings.items()):
        number = str(place + 1) if place else ""
        low, middle, high = (np.array(each) for each in zip(*map(_interval, groups), strict=True))
        scale = 100 if name == "size" else 1
        steps = [f"{scale * group.low:g} to {scale * group.high:g}" for group in groups]
        error = {"type": "data", "symmetric": False, "color": "#64748b"}
        error |= {"array": _percent(high - middle, 1), "arrayminus": _percent(middle - low, 1)}
        dots = {"mode": "markers", "marker": {"color": BLUE, "size": 10}, "error_y": error, "xaxis": f"x{number}"}
        traces.append(lines(steps, _percent(middle, 1), name, BLUE, **dots))
        third = [place / 3 + 0.02, (place + 1) / 3 - 0.02]
        axes[f"xaxis{number}"] = AXIS | axis(UNITS[name], domain=third, **CATEGORY)
    return chart(traces, {}, axis("right, %"), showlegend=False, **axes)


def curves(insights: Insights) -> Chart:
    """Accuracy and loss by epoch, train and validation."""
    epochs = [each.epoch for each in insights.curves]
    traces = []
    for kind, prefix, colour in (("training", "", ORANGE), ("validation", "val_", BLUE)):
        accuracy = [100 * getattr(each, f"{prefix}accuracy") for each in insights.curves]
        loss = [getattr(each, f"{prefix}loss") for each in insights.curves]
        traces.append(lines(epochs, accuracy, f"{kind} accuracy", colour))
        dashed = {"color": colour, "dash": "dot"}
        traces.append(lines(epochs, loss, f"{kind} loss", colour, line=dashed, yaxis="y2"))
    loss = AXIS | axis("loss", type="log", overlaying="y", side="right", showgrid=False)
    return chart(traces, epoch_axis(len(epochs)), axis("accuracy, %"), yaxis2=loss)


def embedding(insights: Insights) -> Chart:
    """The test images that the model finds alike, side by side."""
    names, traces = insights.class_names, []
    for k, (name, colour) in enumerate(zip(names, CLASSES, strict=False)):
        own = [point for point in insights.points if point.true == k]
        told = [f"{name}, answered {names[each.predicted]} with {100 * each.confidence:.0f} %" for each in own]
        marks = {
            "color": colour,
            "size": [6 if each.predicted == k else 11 for each in own],
            "symbol": ["circle" if each.predicted == k else "x" for each in own],
        }
        x, y = [each.x for each in own], [each.y for each in own]
        hover = {"text": told, "hovertemplate": "%{text}<extra></extra>"}
        traces.append(lines(x, y, name, colour, mode="markers", marker=marks, **hover))
    hidden = {"visible": False}
    return chart(traces, hidden, hidden, height=480)


def _interval(group: Group) -> tuple[float, float, float]:
    """The share that is right, between the ends of Wilson's 95 % interval."""
    count, share, z = group.count, group.accuracy, 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return centre - half, share, max(centre + half, share)


def _percent(values: object, total: float) -> list[float]:
    return (100 * np.asarray(values, float) / max(total, 1e-9)).round(4).tolist()


def _middles(count: int, top: float) -> list[float]:
    return ((np.arange(count) + 0.5) * top / count).round(2).tolist()
