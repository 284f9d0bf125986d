"""In the Retrain tab: starts a retraining, shows how it goes, and what the gate made of it. The operator's."""

import html
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from serving.core.errors import Refused
from serving.learning.reporter import epochs_of
from serving.learning.retraining_process import cancel_retraining, latest_retraining, start_retraining
from serving.page.widgets.charts import BLUE, ORANGE, Chart, axis, chart, lines, plot_data
from serving.page.widgets.controls import QUIET, require_operator, selected_classifier
from serving.page.widgets.tables import table
from serving.storage.records import Retraining, StoreError

if TYPE_CHECKING:
    from experiments.training.progress import Epoch
    from serving.services import Services

EVERY = 2.0  # s
CURVES = (("Loss", "loss", "val_loss"), ("Accuracy", "accuracy", "val_accuracy"))
Shown = tuple[Any, ...]


def build(services: "Services", key: Component, dataset: Component) -> None:
    """Adds the section. Its timer is off: whoever shows the tab turns it on."""

    def show(request: gr.Request, key: str, dataset: str) -> Shown:
        require_operator(services, request, key)
        name = selected_classifier(services, dataset).bundle.dataset
        try:
            return shown(latest_retraining(services, name))
        except StoreError as error:
            raise gr.Error(str(error), print_exception=False) from None

    def start(request: gr.Request, key: str, dataset: str) -> Shown:
        require_operator(services, request, key)
        return _told(lambda: start_retraining(services, selected_classifier(services, dataset).bundle.dataset))

    def cancel(request: gr.Request, key: str) -> Shown:
        require_operator(services, request, key)
        return _told(lambda: cancel_retraining(services))

    with gr.Row():
        starting = gr.Button("Start a retraining", variant="primary")
        cancelling = gr.Button("Cancel", variant="stop", interactive=False)
    state = gr.HTML(elem_id="training-state")
    with gr.Row():
        plots = [gr.Plot(label=title, visible=False, elem_classes="chart") for title, *_ in CURVES]
    gate = gr.HTML(elem_id="training-gate")
    parts = [state, *plots, gate, starting, cancelling]
    starting.click(start, [key, dataset], parts, **QUIET)
    cancelling.click(cancel, key, parts, **QUIET)
    timer = gr.Timer(EVERY, active=False)
    timer.tick(show, [key, dataset], parts, **QUIET)


def shown(job: Retraining | None) -> Shown:
    """A retraining as the values of the section's parts."""
    going_on = job is not None and job.is_active
    epochs = epochs_of(job) if job else []
    plots = [
        gr.update(value=plot_data(curves(epochs, *names)) if epochs else None, visible=bool(epochs)) for names in CURVES
    ]
    gate = gate_table(job.differences) if job and job.differences else ""
    buttons = [gr.update(interactive=not going_on), gr.update(interactive=going_on)]
    return (described(job), *plots, gate, *buttons)


def described(job: Retraining | None) -> str:
    """HTML of how it goes: state, progress bar, time left, the end of the log."""
    if job is None:
        return "<p>Nothing has been retrained yet. Accept corrections above, then start.</p>"
    facts = [f"Retraining {job.id}: {job.state}", f"{job.corrections} corrections", f"started {_time(job.started_at)}"]
    if job.is_active:
        facts.append("time left unknown" if job.remaining is None else f"about {job.remaining:.0f} s left")
        facts += ["cancelling"] if job.cancelled else []
    elif job.ended_at is not None:
        facts.append(f"took {job.ended_at - job.started_at:.0f} s")
        facts += [f"version {job.version}"] if job.version else []
    bar = f'<progress value="{job.progress:.3f}" aria-label="progress of the retraining"></progress>'
    reason = f"<p><b>{html.escape(job.reason)}</b></p>" if job.reason else ""
    log = html.escape("\n".join(job.log[-12:]))
    return f"<p>{html.escape(', '.join(facts))}</p>{bar}{reason}" + (f"<pre>{log}</pre>" if log else "")


def curves(epochs: "Sequence[Epoch]", title: str, train: str, validation: str) -> Chart:
    """One figure by epoch, in training and on validation."""
    numbers = [epoch.epoch for epoch in epochs]
    traces = [
        lines(numbers, [getattr(epoch, name) for epoch in epochs], label, colour, mode="lines+markers")
        for name, label, colour in ((train, "training", BLUE), (validation, "validation", ORANGE))
    ]
    last = max(epochs[-1].epochs, 2)
    epoch = axis("epoch", dtick=1, range=[0.8, last + 0.2])
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}  # beside the title
    return chart(traces, epoch, axis(title.lower()), height=240, legend=legend)


def gate_table(differences: list[dict[str, Any]]) -> str:
    """HTML of the gate's table, in percent; what is worse or better for certain is marked."""
    headers = ("asked", "n", "Production", "retrained", "difference, with interval", "")
    return table(headers, [[html.escape(cell) for cell in _cells(row)] for row in differences])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row["low"], row["high"]
    certain = "better" if low > 0 else "worse" if high < 0 else ""
    difference = f"{100 * (row['challenger'] - row['champion']):+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"
    shares = (f"{100 * row[name]:.2f} %" for name in ("champion", "challenger"))
    return (row["group"], str(row["count"]), *shares, difference, certain)


def _told(act: Any) -> Shown:
    try:
        return shown(act())
    except Refused as error:
        raise gr.Error(f"{error.message} {error.hint}", print_exception=False) from None
    except StoreError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _time(seconds: float) -> str:
    day = "%H:%M:%S" if time.time() - seconds < 86_400 else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(seconds, UTC).strftime(f"{day} UTC")
