"""Section of the Retrain tab: starts a retraining, shows its progress, and what the promotion gate decided."""

import html
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from experiments.insights.gate_report import differences_table
from experiments.insights.html_tables import wide
from serving.learning.retraining_requests import cancel_retraining, start_retraining, waiting_notice
from serving.page.retrain.path import path_report, standing
from serving.page.widgets.charts import BLUE, ORANGE, Chart, axis, chart, lines, plot_data
from serving.page.widgets.controls import QUIET, OperatorEvents, Refresh
from serving.services import Services
from serving.storage.records import MAX_ATTEMPTS, Retraining

if TYPE_CHECKING:
    from experiments.training.progress import Epoch

REFRESH_S = 2.0
LOG_LINES = 12
CURVES = (("Loss", "loss", "val_loss"), ("Accuracy", "accuracy", "val_accuracy"))
SectionUpdate = tuple[Any, ...]


def build(services: Services, dataset: gr.Radio, path: gr.HTML) -> Refresh:
    """Add the section, and keep the path above current. The page turns the timer on while the tab is in front."""
    with gr.Row():
        starting = gr.Button("Start retraining", variant="primary", visible=False)
        cancelling = gr.Button("Cancel", variant="stop", visible=False)
    state = gr.HTML(elem_id="training-state")
    with gr.Row():
        plots = [gr.Plot(label=title, visible=False, elem_classes="chart") for title, *_ in CURVES]
    gate = gr.HTML(elem_id="training-gate")
    timer = gr.Timer(REFRESH_S, active=False)
    section = [state, *plots, gate, starting, cancelling]

    def shown(retraining: Retraining | None, can_start: bool = False) -> SectionUpdate:
        return section_update(retraining, can_start, waiting_notice(services, retraining))

    def refresh(dataset: str) -> SectionUpdate:
        now = standing(services, dataset)
        return (*shown(now.retraining, now.can_start), path_report(now))

    def start(dataset: str) -> SectionUpdate:
        return shown(start_retraining(services, dataset))

    def cancel(dataset: str) -> SectionUpdate:
        return shown(cancel_retraining(services, dataset))

    events = OperatorEvents(services, services.database_calls, dataset)
    events.on(starting.click, start, [], section, **QUIET)
    events.on(cancelling.click, cancel, [], section, **QUIET)
    events.refresh(timer.tick, refresh, [], [*section, path])
    return partial(events.refresh, handler=refresh, inputs=[], outputs=[*section, path])


def section_update(retraining: Retraining | None, can_start: bool = False, notice: str = "") -> SectionUpdate:
    """A retraining, None before the first, as updates of the section's components. can_start: whether another may be
    started now. notice: why it waits."""
    active = retraining is not None and retraining.is_active
    differences = retraining.differences if retraining else None
    gate = wide(differences_table(differences), "What the gate compared") if differences else ""
    buttons = gr.update(visible=can_start), gr.update(visible=active)
    return (progress_report(retraining, notice), *_plots(retraining), gate, *buttons)


def progress_report(retraining: Retraining | None, notice: str = "") -> str:
    """HTML: state, why it waits, progress bar, time left, and the end of the log."""
    if retraining is None:
        sentence = "No model has been retrained yet. Ten accepted corrections are enough to start."
        return f"<p class='empty'>{html.escape(f'{sentence} {notice}'.strip())}</p>"
    facts = [
        f"Retraining {retraining.id}: {retraining.state}",
        f"{retraining.corrections} corrections",
        f"{'asked for' if retraining.state == 'queued' else 'started'} {_format_time(retraining.started_at)}",
    ]
    if retraining.attempts > 1:
        facts.append(f"attempt {retraining.attempts} of {MAX_ATTEMPTS}")
    if retraining.is_active and not retraining.is_waiting:
        left = retraining.remaining
        facts.append("time left unknown" if left is None else f"about {left:.0f} s left")
        facts += ["cancelling"] if retraining.cancelled else []
    elif retraining.ended_at is not None:
        facts.append(f"took {retraining.ended_at - retraining.started_at:.0f} s")
        facts += [f"version {retraining.version}"] if retraining.version else []
    bar = f'<progress value="{retraining.progress:.3f}" aria-label="progress of the retraining"></progress>'
    why = retraining.reason or notice
    text = re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(why))
    reason = f"<p><b>{text}</b></p>" if text else ""
    log = html.escape("\n".join(retraining.log[-LOG_LINES:]))
    return f"<p>{html.escape(', '.join(facts))}</p>{bar}{reason}" + (f"<pre>{log}</pre>" if log else "")


def _plots(retraining: Retraining | None) -> list[dict[str, Any]]:
    from serving.learning.reporter import epochs_of  # SQLAlchemy, which would slow down the start of the page

    epochs = epochs_of(retraining) if retraining else []
    if not epochs:
        return [gr.update(value=None, visible=False) for _ in CURVES]
    return [gr.update(value=plot_data(curves(epochs, *names)), visible=True) for names in CURVES]


def curves(epochs: "Sequence[Epoch]", title: str, train: str, validation: str) -> Chart:
    """One metric by epoch, of training and validation. train, validation: fields of Epoch."""
    numbers = [epoch.epoch for epoch in epochs]
    traces = [
        lines(numbers, [getattr(epoch, name) for epoch in epochs], label, colour, mode="lines+markers")
        for name, label, colour in ((train, "training", BLUE), (validation, "validation", ORANGE))
    ]
    x = axis("epoch", dtick=1, range=[0.8, max(epochs[-1].epochs, 2) + 0.2])
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}  # beside the title
    return chart(traces, x, axis(title.lower()), height=240, legend=legend)


def _format_time(seconds: float) -> str:
    day = "%H:%M:%S" if time.time() - seconds < 86_400 else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(seconds, UTC).strftime(f"{day} UTC")
