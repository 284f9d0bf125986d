"""The Experiments tab: the runs of the store side by side, and why the one in Production is there. The operator's."""

import html
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from experiments.data.specs import SPECS
from experiments.insights import run_comparison as ledgers
from experiments.insights.run_comparison import COSTS, METRICS, RunComparison, RunRow
from experiments.registry.store import RegistryError, TrackingStore
from serving.page.widgets.charts import CLASSES, Chart, axis, chart, epoch_axis, lines, plot_data
from serving.page.widgets.controls import QUIET, dataset_switch, key_box, require_operator, selected_classifier
from serving.page.widgets.tables import Html, table

if TYPE_CHECKING:
    from serving.services import Services

CURVES = {  # what the switch says, the fields of an epoch, and the axis
    "accuracy": (("accuracy", "val_accuracy"), axis("accuracy, %")),
    "loss": (("loss", "val_loss"), axis("loss", type="log")),
}
PLOTTED = 12  # runs: more lines can't be told apart


def build(services: "Services") -> None:
    """Fills the tab. It asks the store when it is opened, in a thread, since MLflow takes seconds to import."""
    key = key_box(services)
    dataset = dataset_switch(services)
    told = gr.Markdown("Open this tab to see the runs.", elem_id="experiments-told")
    table = gr.HTML(elem_id="experiments-table")
    curve = gr.Radio(list(CURVES), value="accuracy", label="Training curves")
    plot = gr.Plot(label="Training curves", show_label=False, elem_classes="chart")
    reasons = gr.HTML(elem_id="experiments-reasons")

    def show(request: gr.Request, key: str, dataset: str, curve: str) -> list[Any]:
        require_operator(services, request, key)
        found = _ledger(services, dataset)
        return [ledgers.summary(found), _table(found), _reasons(found), _plot(found, curve)]

    def show_curves(request: gr.Request, key: str, dataset: str, curve: str) -> dict[str, Any]:
        require_operator(services, request, key)
        return _plot(_ledger(services, dataset), curve)

    inputs = [key, dataset, curve]
    tab = cast("gr.Tab", key.parent)
    gr.on([tab.select, dataset.change, key.submit], show, inputs, [told, table, reasons, plot], **QUIET)
    curve.change(show_curves, inputs, plot, **QUIET)


def curves(ledger: RunComparison, kind: str) -> Chart:
    """The newest runs in one plot: a line of training dotted, of validation solid, the one in Production thick."""
    (train, validation), y_axis = CURVES[kind]
    scale = 100 if kind == "accuracy" else 1
    entries = [entry for entry in ledger.entries if entry.curves][-PLOTTED:]
    traces = []
    for entry, colour in zip(entries, CLASSES, strict=False):
        epochs = [each.epoch for each in entry.curves]
        for field, dash in ((train, "dot"), (validation, "solid")):
            line = {"color": colour, "dash": dash, "width": 4 if entry.chosen else 2}
            values = [scale * getattr(each, field) for each in entry.curves]
            name = f"{entry.name}, {'training' if field == train else 'validation'}"
            traces.append(lines(epochs, values, name, colour, line=line, mode="lines+markers", marker={"size": 5}))
    return chart(traces, epoch_axis(max((len(entry.curves) for entry in entries), default=1)), y_axis, height=420)


def _ledger(services: "Services", dataset: str) -> RunComparison:
    """Of the store; where it has nothing, of the model that answers. Raises gr.Error, worded."""
    settings, bundle = services.settings, selected_classifier(services, dataset).bundle
    if not ledgers.exists(settings.mlflow_tracking_uri):
        return ledgers.from_bundle(bundle)
    try:
        found = ledgers.read(TrackingStore.of(settings), SPECS[dataset])
    except RegistryError as error:
        raise gr.Error(str(error), print_exception=False) from None
    return found if found.entries else ledgers.from_bundle(bundle)


def _plot(ledger: RunComparison, kind: str) -> dict[str, Any]:
    figure = curves(ledger, kind if kind in CURVES else "accuracy")
    return gr.update(value=plot_data(figure) if figure["data"] else None, visible=bool(figure["data"]))


def _table(ledger: RunComparison) -> str:
    names = [*METRICS, *COSTS]
    headers = ("run", *({**METRICS, **COSTS}[name] for name in names), "status")
    entries = ledger.entries[::-1]
    chosen = [number for number, entry in enumerate(entries) if entry.chosen]
    rows = table(headers, [_row(entry, names) for entry in entries], row_headers=True, highlighted=chosen)
    return f'<div class="wide" tabindex="0" role="region" aria-label="Runs">{rows}</div>'


def _row(entry: RunRow, names: list[str]) -> tuple[str, ...]:
    name = f"{entry.name} ★" if entry.chosen else entry.name
    if entry.link:
        name = Html(f'<a href="{html.escape(entry.link)}" target="_blank" rel="noopener">{html.escape(name)}</a>')
    return (name, *ledgers.cells(entry, names), entry.run.status.lower())


def _reasons(ledger: RunComparison) -> str:
    items = "".join(
        f"<dt>{html.escape(entry.name)}</dt><dd>{html.escape(entry.run.reason)}<br>"
        f"<small>{html.escape(ledgers.settings_of(entry))}</small></dd>"
        for entry in reversed(ledger.entries)
    )
    return f"<dl>{items}</dl>"
