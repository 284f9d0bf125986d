"""The Insights tab: the figures that explain the Production model and its data, made when it was measured. For all."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.plot import PlotData

from experiments.inference.bundle import TFLITE, Bundle
from experiments.insights import data_sentences as data
from experiments.insights import figures as files
from experiments.insights import model_sentences as model
from experiments.insights.figures import Insights, InsightsError
from serving.core.errors import Refused
from serving.page.widgets import insight_charts as charts
from serving.page.widgets.charts import Chart, plot_data
from serving.page.widgets.controls import QUIET, dataset_switch, selected_classifier
from serving.page.widgets.gallery import gallery, prediction_gallery
from serving.storage.records import AnswerFilter, StoreError

if TYPE_CHECKING:
    from serving.services import Services

COUNTS, RATES = "counts", "% of the true class"


@dataclass(frozen=True)
class View:
    """One plot: its heading, what it means, how it is drawn."""

    title: str
    sentences: Callable[[Insights], str]
    chart: Callable[[Insights], Chart]


DISTRIBUTION = View("Classes", data.distribution, charts.distribution)
AVERAGES = View("Average images and their variation", data.averages, charts.variation)
PIXELS = View("Pixels", data.pixels, charts.pixels)
CONFUSION = View("Confusion", model.confusion, charts.confusion)
PER_CLASS = View("Precision, recall and F1", model.per_class, charts.per_class)
ROC = View("ROC curves", model.roc, charts.roc)
RELIABILITY = View("Reliability", model.reliability, charts.reliability)
CONFIDENCE = View("Confidence of right and wrong answers", model.confidence, charts.confidence)
DRAWINGS = View("Drawings by size, brush and turn", model.drawings, charts.drawings)
CURVES = View("Training", model.curves, charts.curves)
EMBEDDING = View("Map of what the model finds alike", model.embedding, charts.embedding)
VIEWS = (
    *(DISTRIBUTION, AVERAGES, PIXELS, CONFUSION, PER_CLASS, ROC, RELIABILITY, CONFIDENCE, DRAWINGS, CURVES),
    EMBEDDING,
)


@dataclass(frozen=True, eq=False)
class Shown:
    """A model's figures as the tab shows them; all but the traffic is made once."""

    sha256: str
    insights: Insights
    tiles: np.ndarray
    plots: tuple[tuple[str, PlotData | None], ...]  # of each view its text and plot, if there is anything to plot

    @classmethod
    def of(cls, bundle: Bundle) -> "Shown":
        """Raises InsightsError."""
        insights, tiles = files.read(bundle), files.read_tiles(bundle)
        return cls(bundle.sha256[TFLITE], insights, tiles, tuple(_plotted(view, insights) for view in VIEWS))


class Shelf:
    """What was shown last of each data set, until its model is another one."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}

    def of(self, bundle: Bundle) -> Shown:
        """Raises gr.Error, worded."""
        known = self._shown.get(bundle.dataset)
        if known is None or known.sha256 != bundle.sha256[TFLITE]:
            try:
                known = self._shown[bundle.dataset] = Shown.of(bundle)
            except InsightsError as error:
                raise gr.Error(str(error), print_exception=False) from None
        return known


def build(services: "Services") -> None:
    """Fills the tab. It asks for its figures when it is opened."""
    shelf = Shelf()
    dataset = dataset_switch(services)
    parts = _Parts(services, shelf)
    tab = cast("gr.Tab", dataset.parent)
    inputs = [dataset, parts.seen]
    tab.select(parts.show, inputs, parts.outputs, **QUIET)
    dataset.change(parts.show, inputs, parts.outputs, **QUIET)
    parts.matrix.change(parts.show_matrix, [dataset, parts.matrix], parts.plots[CONFUSION], **QUIET)
    gr.on(
        [parts.true.input, parts.predicted.input],
        parts.show_cell,
        [dataset, parts.true, parts.predicted],
        parts.cell,
        **QUIET,
    )
    parts.name.input(parts.show_class, [dataset, parts.name], parts.class_, **QUIET)


class _Parts:
    """The tab's components, laid out when this is made, and what fills them."""

    def __init__(self, services: "Services", shelf: Shelf) -> None:
        self._services, self._shelf = services, shelf
        self.plots: dict[View, gr.Plot] = {}
        self._texts: dict[View, gr.Markdown] = {}
        self.seen = gr.State("")  # the hash of the model whose figures this visitor sees
        with gr.Tabs():
            self._lay_out()
        places = [part for view in VIEWS for part in (self._texts[view], self.plots[view])]
        extras = [self.averages, self.matrix, self.true, self.predicted, self.cell, self.worst_told, self.worst]
        self.outputs: list[Component] = [self.seen, *places, *extras, self.name, self.class_]

    def show(self, dataset: str, seen: str, request: gr.Request) -> list[Any]:
        """All of a data set's figures; nothing when they are there already."""
        shown = self._shown(dataset)
        if seen == shown.sha256:
            return [gr.skip()] * len(self.outputs)
        insights, names = shown.insights, shown.insights.class_names
        plots = list(shown.plots)
        seen_too = with_traffic(self._services, insights, dict(request.headers), request.username)
        plots[0] = _plotted(DISTRIBUTION, seen_too)
        true, predicted = insights.commonest_mistake()
        classes = [{"choices": list(names), "value": name, "__type__": "update"} for name in (true, predicted, true)]
        return [
            *(shown.sha256, *_updates(plots), _averages(shown), COUNTS, *classes[:2]),
            self.show_cell(dataset, true, predicted),
            model.worst(insights),
            prediction_gallery(insights.worst, shown.tiles, names),
            classes[2],
            self.show_class(dataset, true),
        ]

    def show_matrix(self, dataset: str, numbers: str) -> Any:
        """Counts or rates."""
        insights = self._shown(dataset).insights
        return plot_data(charts.confusion(insights, rates=numbers == RATES))

    def show_cell(self, dataset: str, true: str, predicted: str) -> str:
        """Images of one class that were taken for another."""
        shown = self._shown(dataset)
        one, other = _positions(shown.insights, true, predicted)
        pictures = shown.insights.cell(one, other)
        if not pictures:
            return f"<p>No {true} of the test set is taken for {predicted}.</p>"
        count = shown.insights.confusion[one][other]
        more = f" The {len(pictures)} most confident:" if count > len(pictures) else ""
        told = f"<p>{count:,} of class {true} are answered {predicted}.{more}</p>"
        return told + prediction_gallery(pictures, shown.tiles, shown.insights.class_names)

    def show_class(self, dataset: str, name: str) -> str:
        """Images in the middle and at the edge of a class."""
        shown = self._shown(dataset)
        (place,) = _positions(shown.insights, name)
        names = shown.insights.class_names
        typical, unusual = (
            prediction_gallery(group[place], shown.tiles, names)
            for group in (shown.insights.typical, shown.insights.unusual)
        )
        return f"<h4>Typical {name}</h4>{typical}<h4>Unusual {name}</h4>{unusual}"

    def _shown(self, dataset: str) -> Shown:
        return self._shelf.of(selected_classifier(self._services, dataset).bundle)

    def _lay_out(self) -> None:
        with gr.Tab("Data"):
            self._add(DISTRIBUTION)
            self._add(AVERAGES)
            self.averages = gr.HTML()
            self._add(PIXELS)
        with gr.Tab("Mistakes"):
            self._add(CONFUSION)
            self.matrix = gr.Radio([COUNTS, RATES], value=COUNTS, label="Numbers", container=False)
            with gr.Row():
                self.true = gr.Dropdown(label="True class", filterable=False)
                self.predicted = gr.Dropdown(label="Answered", filterable=False)
            self.cell = gr.HTML(elem_id="insights-cell")
            self._add(PER_CLASS)
            gr.Markdown("### The most confident mistakes")
            self.worst_told, self.worst = gr.Markdown(), gr.HTML(elem_id="insights-worst")
        with gr.Tab("Confidence"):
            for view in (ROC, RELIABILITY, CONFIDENCE):
                self._add(view)
        with gr.Tab("Drawings"):
            self._add(DRAWINGS)
        with gr.Tab("Training"):
            self._add(CURVES)
        with gr.Tab("Map"):
            self._add(EMBEDDING)
            self.name = gr.Dropdown(label="Class", filterable=False)
            self.class_ = gr.HTML(elem_id="insights-class")

    def _add(self, view: View) -> None:
        gr.Markdown(f"### {view.title}")
        self._texts[view] = gr.Markdown(elem_classes="insight")
        self.plots[view] = gr.Plot(label=view.title, show_label=False, elem_classes="chart")


def with_traffic(services: "Services", insights: Insights, headers: Mapping[str, str], user: str | None) -> Insights:
    """With what was answered here, as far as it is kept and whoever asks may see it."""
    recorder = services.recorder
    try:
        services.access.check_operator(headers, user)
        tally = recorder.history.tally("label", AnswerFilter(dataset=insights.dataset)) if recorder else {}
    except (Refused, StoreError):
        return insights
    traffic = tuple(tally.get(name, 0) for name in insights.class_names)
    return dataclasses.replace(insights, counts=insights.counts | {"traffic": traffic})


def _plotted(view: View, insights: Insights) -> tuple[str, PlotData | None]:
    figure = view.chart(insights)
    return view.sentences(insights), plot_data(figure) if figure["data"] else None


def _updates(plots: list[tuple[str, PlotData | None]]) -> list[dict[str, Any]]:
    """Made for each visitor: Gradio empties an update when it sends it."""
    texts = [gr.update(value=text) for text, _ in plots]
    figures = [gr.update(value=plot, visible=plot is not None) for _, plot in plots]
    return [part for pair in zip(texts, figures, strict=True) for part in pair]


def _averages(shown: Shown) -> str:
    rows = (
        ("Average", shown.insights.averages),
        ("Where they differ", shown.insights.deviations),
    )
    return "".join(
        f"<h4>{title}</h4>"
        + gallery((shown.tiles[tile], name) for tile, name in zip(tiles, shown.insights.class_names, strict=True))
        for title, tiles in rows
    )


def _positions(insights: Insights, *chosen: str) -> list[int]:
    """Of classes by name. Raises gr.Error for a name that is none, which only a foreign program sends."""
    try:
        return [insights.class_names.index(name) for name in chosen]
    except ValueError:
        raise gr.Error("There is no such class.", print_exception=False) from None
