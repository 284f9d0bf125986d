"""Charts as Plotly draws them in the browser: its JSON, made by hand, since its Python library costs a start 0.5 s."""

from collections.abc import Sequence
from typing import Any

import orjson
from gradio.components.plot import PlotData

Chart = dict[str, Any]

BLUE, ORANGE, GREEN, VIOLET = "#3b82f6", "#f97316", "#10b981", "#a855f7"  # 3 to 1 on white and on Gradio's dark slate
CLASSES = (
    *(BLUE, ORANGE, GREEN, "#ef4444", VIOLET, "#b7791f", "#ec4899", "#64748b", "#84a30f", "#0ea5b7"),
    *("#1d4ed8", "#9a3412"),
)
GRID = "rgba(128, 128, 128, 0.25)"
AXIS = {"gridcolor": GRID, "zerolinecolor": GRID, "automargin": True, "fixedrange": True}
HEIGHT = 340  # px


def chart(data: Sequence[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Chart:
    """Traces over two axes, without a ground of its own, so that it fits a light page and a dark one. The text's colour
    is the style sheet's."""
    look = {
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
    return {"data": list(data), "layout": look | layout, "config": {"displayModeBar": False}}


def axis(text: str, **settings: Any) -> dict[str, Any]:
    """An axis with a name."""
    return {"title": {"text": text, "standoff": 8}, **settings}


def epoch_axis(epochs: int) -> dict[str, Any]:
    """An axis of so many epochs, whole ones."""
    return axis("epoch", dtick=max(1, -(-epochs // 10)))


def lines(x: Sequence[float], y: Sequence[float], name: str, colour: str, **trace: Any) -> dict[str, Any]:
    """A trace of points joined by lines."""
    return {"type": "scatter", "x": x, "y": y, "name": name, "mode": "lines", "line": {"color": colour}} | trace


def bars(x: Sequence[Any], y: Sequence[float], name: str, colour: str, **trace: Any) -> dict[str, Any]:
    """A trace of bars."""
    return {"type": "bar", "x": x, "y": y, "name": name, "marker": {"color": colour}} | trace


def plot_data(figure: Chart) -> PlotData:
    """As `gr.Plot` sends it to the browser."""
    return PlotData(type="plotly", plot=orjson.dumps(figure).decode())
