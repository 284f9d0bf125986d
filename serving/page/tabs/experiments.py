"""The Experiments tab: the runs of the store side by side, and why the one in Production is there. The operator's."""

import html
from itertools import accumulate
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from experiments.insights import run_comparison, sweeps
from experiments.insights.html_tables import Html, html_table, wide
from experiments.insights.run_comparison import TITLES, RunComparison
from experiments.insights.sweeps import SweepCourse
from experiments.registry.run_log import RunSummary
from experiments.registry.store import TrackingStore
from serving.page.widgets.charts import (
    BLUE,
    CLASSES,
    ORANGE,
    TITLED,
    Chart,
    axis,
    bars,
    chart,
    epoch_axis,
    epoch_lines,
    lines,
    plot_data,
)
from serving.page.widgets.controls import QUIET, OperatorEvents, dataset_switch, selected_classifier
from serving.services import Services

CURVES = {"accuracy": axis("accuracy, %"), "loss": axis("loss", type="log")}
PLOTTED = 12  # runs: more lines can't be told apart


def build(services: Services, tab: gr.Tab) -> None:
    """Lay out the tab. It asks the store when it is opened."""
    dataset = dataset_switch(services)
    summary = gr.Markdown("Open this tab to see the runs.")
    with gr.Row():
        with gr.Column(scale=3, min_width=320, elem_classes="card"):
            runs = gr.HTML(elem_id="experiments-table")
        with gr.Column(scale=2, min_width=320, elem_classes="cost"):
            cost = gr.Plot(label="What accuracy costs", elem_classes="chart", visible=False)
    curve = gr.Radio(list(CURVES), value="accuracy", label="Training curves: validation solid, training dotted")
    plot = gr.Plot(label="Training curves", show_label=False, elem_classes="chart", visible=False)
    reasons = gr.HTML(elem_id="experiments-reasons")
    with gr.Row():
        course = gr.Plot(label="The last sweep, trial by trial", elem_classes="chart", visible=False, min_width=420)
        mattered = gr.Plot(label="What mattered in it", elem_classes="chart", visible=False, min_width=420)

    def show(dataset: str, curve: str) -> list[Any]:
        comparison = _compare(services, dataset)
        return [
            run_comparison.summary(comparison),
            _table(comparison),
            _reasons(comparison),
            _plot(comparison, curve),
            _shown(costs(comparison)),
            *_sweep(services, dataset),
        ]

    def show_curves(dataset: str, curve: str) -> dict[str, Any]:
        return _plot(_compare(services, dataset), curve)

    events = OperatorEvents(services, services.registry_calls, dataset)
    outputs = [summary, runs, reasons, plot, cost, course, mattered]
    events.refresh(tab.select, show, [curve], outputs)
    events.on(dataset.change, show, [curve], outputs, **QUIET)
    events.on(curve.change, show_curves, [curve], plot, **QUIET)


def costs(comparison: RunComparison) -> Chart:
    """Validation accuracy by minutes of training, a point for each run, where there are two or more to compare."""
    measured = [run for run in comparison.runs if {"validation_accuracy", "training_seconds"} <= run.metrics.keys()]
    traces = []
    for name, colour, symbol, chosen in (
        ("in Production", ORANGE, "star", True),
        ("other runs", BLUE, "circle", False),
    ):
        own = [run for run in measured if run.in_production == chosen]
        if own and len(measured) > 1:
            x = [round(run.metrics["training_seconds"] / 60, 2) for run in own]
            y = [round(100 * run.metrics["validation_accuracy"], 3) for run in own]
            marker = {"size": 15 if chosen else 10, "symbol": symbol, "color": colour}
            hover = {"text": [run.title for run in own], "hovertemplate": "%{text}: %{y:.2f} %, %{x:.1f} min"}
            traces.append(lines(x, y, name, colour, mode="markers", marker=marker, **hover))
    return chart(traces, axis("training, min"), axis("validation, %"), showlegend=True, **TITLED)


def curves(comparison: RunComparison, kind: str) -> Chart:
    """The newest runs in one plot: training dotted, validation solid, the run in Production thick."""
    runs = [run for run in comparison.runs if run.curves][-PLOTTED:]
    traces = []
    for run, colour in zip(runs, CLASSES, strict=False):
        for split, field, dash in (("training", kind, "dot"), ("validation", f"val_{kind}", "solid")):
            line = {"color": colour, "dash": dash, "width": 4 if run.in_production else 2}
            style: dict[str, Any] = {"line": line, "mode": "lines+markers", "marker": {"size": 5}}
            style |= {"showlegend": split == "validation", "legendgroup": run.run_id}
            traces.append(epoch_lines(run.curves, field, run.title, colour, **style))
    longest = max((len(run.curves) for run in runs), default=1)
    return chart(traces, epoch_axis(longest), CURVES[kind], height=420)


def sweep_charts(course: SweepCourse) -> tuple[Chart, Chart]:
    """The score of each completed trial with the best so far; each setting's share in its variance."""
    numbers, scores = [number for number, _ in course.history], [100 * score for _, score in course.history]
    so_far: list[float] = list(accumulate(scores, max))
    best = {"line": {"color": BLUE, "shape": "hv"}}
    tried = {"mode": "markers", "marker": {"color": ORANGE, "size": 7}}
    traces = [lines(numbers, scores, "trials", ORANGE, **tried), lines(numbers, so_far, "best so far", BLUE, **best)]
    shares = sorted((share, name.replace("_", " ")) for name, share in course.importances.items())
    mattered = bars([100 * share for share, _ in shares], [name for _, name in shares], "share", BLUE, orientation="h")
    trials = chart(traces, axis(f"trial ({course.pruned} pruned)"), axis("score, %"), **TITLED)
    return trials, chart([mattered] if shares else [], axis("share in the variance, %"), axis(""), **TITLED)


def _sweep(services: Services, dataset: str) -> list[dict[str, Any]]:
    """Raises RegistryError."""
    settings = services.settings
    course = None
    if run_comparison.store_exists(settings.mlflow_tracking_uri):
        course = sweeps.latest(TrackingStore.of(settings), dataset)
    if course is None or not course.history:
        return [gr.update(value=None, visible=False)] * 2
    return [_shown(figure) for figure in sweep_charts(course)]


def _compare(services: Services, dataset: str) -> RunComparison:
    """Raises RegistryError."""
    settings, bundle = services.settings, selected_classifier(services, dataset).bundle
    if not run_comparison.store_exists(settings.mlflow_tracking_uri):
        return run_comparison.shipped(bundle)
    return run_comparison.compare(TrackingStore.of(settings), SPECS[dataset], bundle)


def _plot(comparison: RunComparison, kind: str) -> dict[str, Any]:
    return _shown(curves(comparison, kind if kind in CURVES else "accuracy"))


def _shown(figure: Chart) -> dict[str, Any]:
    """A plot that shows a figure, or nothing where there is nothing in it."""
    return gr.update(value=plot_data(figure) if figure["data"] else None, visible=bool(figure["data"]))


def _table(comparison: RunComparison) -> str:
    runs = comparison.runs[::-1]
    in_production = [number for number, run in enumerate(runs) if run.in_production]
    rows = html_table(("run", *TITLES.values(), "status"), map(_row, runs), row_headers=True, highlighted=in_production)
    return wide(rows, "Runs")


def _row(run: RunSummary) -> tuple[str, ...]:
    name = run_comparison.marked_title(run)
    if run.link:
        name = Html(f'<a href="{html.escape(run.link)}" target="_blank" rel="noopener">{html.escape(name)}</a>')
    return (name, *run_comparison.cells(run, tuple(TITLES)), run.status.lower())


def _reasons(comparison: RunComparison) -> str:
    items = "".join(
        f"<dt>{html.escape(run.title)}</dt><dd>{html.escape(run.reason)}<br>"
        f"<small>{html.escape(run_comparison.settings_of(run))}</small></dd>"
        for run in reversed(comparison.runs)
    )
    return f"<dl>{items}</dl>"
