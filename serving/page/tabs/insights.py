"""The Insights tab: the figures that explain the Production model and its data, measured with it. For everyone."""

import asyncio
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.plot import PlotData

from experiments.inference.bundle import TFLITE, Bundle
from experiments.insights import data_sentences, figures, headlines, model_sentences
from experiments.insights.figures import Insights, InsightsError
from serving.page.widgets import insight_charts as charts
from serving.page.widgets.charts import Chart, plot_data
from serving.page.widgets.controls import QUIET, dataset_switch, operator_refusal, selected_classifier
from serving.page.widgets.errors import page_error
from serving.page.widgets.gallery import gallery, prediction_gallery
from serving.services import Services
from serving.storage.digits import label_counts
from serving.storage.records import AnswerFilter, StoreError

COUNTS, RATES = "counts", "% of the true class"


@dataclass(frozen=True)
class View:
    """A plot: its name, the one thing it says, the sentences that interpret it, its chart."""

    name: str
    headline: Callable[[Insights], str]
    sentences: Callable[[Insights], str]
    chart: Callable[[Insights], Chart]

    def render(self, insights: Insights) -> tuple[str, PlotData | None]:
        """Headline and sentences as Markdown, and the plot if there is anything to plot."""
        figure = self.chart(insights)
        return f"### {self.headline(insights)}\n{self.sentences(insights)}", plot_data(figure) if figure[
            "data"
        ] else None


VIEWS = {
    "distribution": View("Classes", headlines.distribution, data_sentences.distribution, charts.distribution),
    "averages": View(
        "Average images and their variation", headlines.averages, data_sentences.averages, charts.variation
    ),
    "pixels": View("Pixels", headlines.pixels, data_sentences.pixels, charts.pixels),
    "confusion": View("Confusion", headlines.confusion, model_sentences.confusion, charts.confusion),
    "per_class": View("Precision, recall and F1", headlines.per_class, model_sentences.per_class, charts.per_class),
    "roc": View("ROC curves", headlines.roc, model_sentences.roc, charts.roc),
    "reliability": View("Reliability", headlines.reliability, model_sentences.reliability, charts.reliability),
    "confidence": View(
        "Confidence of right and wrong answers", headlines.confidence, model_sentences.confidence, charts.confidence
    ),
    "drawings": View("Drawings by size, brush and turn", headlines.drawings, model_sentences.drawings, charts.drawings),
    "refusal": View("What is rejected", headlines.refusal, model_sentences.refusal, charts.refusal),
    "curves": View("Training", headlines.curves, model_sentences.curves, charts.curves),
    "embedding": View(
        "Map of what the model finds alike", headlines.embedding, model_sentences.embedding, charts.embedding
    ),
}


@dataclass(frozen=True, eq=False)
class Rendered:
    """A model's figures as the tab shows them; all but the traffic is rendered once."""

    sha256: str
    insights: Insights
    tiles: np.ndarray
    views: dict[str, tuple[str, PlotData | None]]


def render(bundle: Bundle, cache: dict[str, Rendered]) -> Rendered:
    """A model's figures; `cache` keeps those of each data set until its model changes. Raises gr.Error."""
    sha256, cached = bundle.sha256[TFLITE], cache.get(bundle.dataset)
    if cached is None or cached.sha256 != sha256:
        try:
            insights, tiles = figures.read(bundle), figures.read_tiles(bundle)
        except InsightsError as error:
            raise page_error(str(error)) from None
        views = {name: view.render(insights) for name, view in VIEWS.items()}
        cached = cache[bundle.dataset] = Rendered(sha256, insights, tiles, views)
    return cached


def build(services: Services) -> None:
    """Lay out the tab. It asks for its figures when it is opened."""
    dataset = dataset_switch(services)
    tab = cast("gr.Tab", dataset.parent)
    parts = _Parts(services)
    gr.on([tab.select, dataset.change], parts.show, [dataset, parts.sha256], parts.outputs, **QUIET)
    parts.numbers.change(parts.show_matrix, [dataset, parts.numbers], parts.plots["confusion"], **QUIET)
    cell_choice = [parts.true, parts.predicted]
    gr.on([part.input for part in cell_choice], parts.show_cell, [dataset, *cell_choice], parts.cell, **QUIET)
    parts.name.input(parts.show_class, [dataset, parts.name], parts.examples, **QUIET)


class _Parts:
    """The tab's components, laid out by the constructor, and the handlers that fill them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cache: dict[str, Rendered] = {}
        self.plots: dict[str, gr.Plot] = {}
        self._texts: dict[str, gr.Markdown] = {}
        self.sha256 = gr.State("")  # of the model whose figures this visitor has
        with gr.Tabs():
            self._lay_out()
        views = [part for name in VIEWS for part in (self._texts[name], self.plots[name])]
        mistakes = [self.numbers, self.true, self.predicted, self.cell, self.worst_text, self.worst]
        self.outputs: list[Component] = [self.sha256, *views, self.averages, *mistakes, self.name, self.examples]

    async def show(self, dataset: str, sha256: str, request: gr.Request) -> list[Any]:
        """All of a data set's figures; nothing when the visitor has them."""
        rendered = await asyncio.to_thread(self._rendered, dataset)
        if sha256 == rendered.sha256:
            return [gr.skip()] * len(self.outputs)
        insights = await with_traffic(self._services, rendered.insights, request)
        return await asyncio.to_thread(self._updates, dataset, rendered, insights)

    def show_matrix(self, dataset: str, numbers: str) -> PlotData:
        """Counts or rates."""
        return plot_data(charts.confusion(self._rendered(dataset).insights, rates=numbers == RATES))

    def show_cell(self, dataset: str, true: str, predicted: str) -> str:
        """Images of one class that were taken for another."""
        rendered = self._rendered(dataset)
        row, column = _positions(rendered.insights, true, predicted)
        pictures, count = rendered.insights.cell(row, column), rendered.insights.confusion[row][column]
        if not pictures:
            return f"<p>No {true} of the test set is taken for {predicted}.</p>"
        more = f" The {len(pictures)} most confident:" if count > len(pictures) else ""
        images = prediction_gallery(pictures, rendered.tiles, rendered.insights.class_names)
        return f"<p>{count:,} of class {true} are answered {predicted}.{more}</p>{images}"

    def show_class(self, dataset: str, name: str) -> str:
        """Images in the middle and at the edge of a class."""
        rendered = self._rendered(dataset)
        insights = rendered.insights
        (k,) = _positions(insights, name)
        return "".join(
            f"<h4>{kind} {name}</h4>{prediction_gallery(pictures[k], rendered.tiles, insights.class_names)}"
            for kind, pictures in (("Typical", insights.typical), ("Unusual", insights.unusual))
        )

    def _updates(self, dataset: str, rendered: Rendered, insights: Insights) -> list[Any]:
        """insights: with the visitor's share of what is known."""
        names = list(insights.class_names)
        views = rendered.views | {"distribution": VIEWS["distribution"].render(insights)}
        true, predicted = insights.commonest_mistake()
        return [
            rendered.sha256,
            *(update for text, plot in views.values() for update in _updates(text, plot)),
            _averages(rendered),
            COUNTS,
            gr.update(choices=names, value=true),
            gr.update(choices=names, value=predicted),
            self.show_cell(dataset, true, predicted),
            model_sentences.worst(insights),
            prediction_gallery(insights.worst, rendered.tiles, names),
            gr.update(choices=names, value=true),
            self.show_class(dataset, true),
        ]

    def _rendered(self, dataset: str) -> Rendered:
        return render(selected_classifier(self._services, dataset).bundle, self._cache)

    def _lay_out(self) -> None:
        with gr.Tab("Data"):
            self._add("distribution", "averages")
            self.averages = gr.HTML(elem_id="insights-averages")
            self._add("pixels")
        with gr.Tab("Mistakes"):
            self._add("confusion")
            self.numbers = gr.Radio([COUNTS, RATES], value=COUNTS, label="Numbers", container=False)
            with gr.Row():
                self.true = gr.Dropdown(label="True class", filterable=False)
                self.predicted = gr.Dropdown(label="Answered", filterable=False)
            self.cell = gr.HTML(elem_id="insights-cell")
            self._add("per_class")
            gr.Markdown("### The most confident mistakes")
            self.worst_text, self.worst = gr.Markdown(), gr.HTML(elem_id="insights-worst")
        with gr.Tab("Confidence"):
            self._add("roc", "reliability", "confidence")
        with gr.Tab("Drawings"):
            self._add("drawings", "refusal")
        with gr.Tab("Training"):
            self._add("curves")
        with gr.Tab("Map"):
            self._add("embedding")
            self.name = gr.Dropdown(label="Class", filterable=False)
            self.examples = gr.HTML(elem_id="insights-class")

    def _add(self, *names: str) -> None:
        for name in names:
            self._texts[name] = gr.Markdown(elem_classes="insight")
            self.plots[name] = gr.Plot(label=VIEWS[name].name, show_label=False, elem_classes="chart")


async def with_traffic(services: Services, insights: Insights, request: gr.Request) -> Insights:
    """The figures with what was answered here, as far as it is recorded and this visitor may see it."""
    recorder, where = services.recorder, AnswerFilter(dataset=insights.dataset)
    if recorder is None or operator_refusal(services, request):
        return insights
    try:
        tally = await services.database_calls.call(lambda: recorder.history.tally(where, "label"))
    except StoreError:
        return insights
    counts = label_counts(tally, insights.class_names)
    traffic = tuple(counts[name] for name in insights.class_names)
    return dataclasses.replace(insights, counts=insights.counts | {"traffic": traffic})


def _updates(text: str, plot: PlotData | None) -> list[dict[str, Any]]:
    """Made for every visitor, since Gradio empties an update when it sends it."""
    return [gr.update(value=text), gr.update(value=plot, visible=plot is not None)]


def _averages(rendered: Rendered) -> str:
    insights = rendered.insights
    parts = []
    for title, positions in (("Average", insights.averages), ("Where they differ", insights.deviations)):
        images = zip(rendered.tiles[list(positions)], insights.class_names, strict=True)
        parts.append(f"<h4>{title}</h4>{gallery(images)}")
    return "".join(parts)


def _positions(insights: Insights, *names: str) -> list[int]:
    """Of classes. Raises gr.Error for an unknown name, which only a foreign program sends."""
    try:
        return [insights.class_names.index(name) for name in names]
    except ValueError:
        raise page_error("There is no such class.") from None
