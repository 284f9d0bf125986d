"""Charts as Plotly's JSON, written by hand: importing its Python library would delay the start by 0.5 s."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from gradio.components.plot import PlotData

if TYPE_CHECKING:
    from experiments.training.progress import Epoch

Chart = dict[str, Any]
Trace = dict[str, Any]

BLUE, ORANGE, GREEN, VIOLET = "#3b82f6", "#f97316", "#10b981", "#a855f7"  # 3 to 1 on white and on Gradio's dark slate
CLASSES = (
    *(BLUE, ORANGE, GREEN, "#ef4444", VIOLET, "#b7791f", "#ec4899", "#64748b", "#84a30f", "#0ea5b7"),
    *("#1d4ed8", "#9a3412"),
)
GRID = "rgba(128, 128, 128, 0.25)"
AXIS = {"gridcolor": GRID, "zerolinecolor": GRID, "automargin": True, "fixedrange": True}
HEIGHT = 340  # px
TITLED: dict[str, Any] = {"margin": {"l": 48, "r": 12, "t": 68, "b": 44}}
"""Layout with room for the title that Gradio lays over the plot, and the legend below it."""


def chart(traces: Sequence[Trace], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Chart:
    """Traces over two axes, transparent, so that they fit a light page and a dark one; the style sheet colours text."""
    defaults = {
        "height": HEIGHT,
        "margin": {"l": 48, "r": 12, "t": 12, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 13},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"bgcolor": "#1e293b", "font": {"color": "#ffffff"}},
        "dragmode": False,
        "xaxis": AXIS | x,
        "yaxis": AXIS | y,
    }
    return {"data": list(traces), "layout": defaults | layout, "config": {"displayModeBar": False}}


def axis(title: str, **settings: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": title, "standoff": 8}, **settings}


def epoch_axis(epochs: int) -> dict[str, Any]:
    """An axis of so many epochs, with ticks at whole ones."""
    return axis("epoch", dtick=max(1, -(-epochs // 10)))


def lines(x: Sequence[float | str], y: Sequence[float | None], name: str, colour: str, **trace: Any) -> Trace:
    """Points joined by lines, with a gap at None."""
    return {"type": "scatter", "x": x, "y": y, "name": name, "mode": "lines", "line": {"color": colour}} | trace


def epoch_lines(epochs: "Sequence[Epoch]", field: str, name: str, colour: str, **trace: Any) -> Trace:
    """A field of an epoch over the epochs; an accuracy in percent."""
    scale = 100 if field.endswith("accuracy") else 1
    values = [scale * getattr(epoch, field) for epoch in epochs]
    return lines([epoch.epoch for epoch in epochs], values, name, colour, **trace)


def bars(x: Sequence[float | str], y: Sequence[float | str], name: str, colour: str, **trace: Any) -> Trace:
    """A bar for each value."""
    return {"type": "bar", "x": x, "y": y, "name": name, "marker": {"color": colour}} | trace


def plot_data(figure: Chart) -> PlotData:
    """The value of a `gr.Plot`."""
    return PlotData(type="plotly", plot=orjson.dumps(figure).decode())
