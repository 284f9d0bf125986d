"""In the Retrain tab: what is and was in Production, the way there and back, and a replay. The operator's."""

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import gradio as gr
import numpy as np
from gradio.components import Component

from experiments.data.specs import SPECS
from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryError
from serving.core.images import data_url
from serving.learning import production
from serving.learning.replay import ChangedAnswer, ReplayResult, bundle_of_version, replay
from serving.page.widgets.controls import PRIVATE, require_operator, selected_classifier
from serving.page.widgets.tables import format_utc, table
from serving.storage import records
from serving.storage.records import StoreError

if TYPE_CHECKING:
    from serving.services import Services

SHOWN = 100  # changed answers that are listed
REPLAYED = 20_000  # answers that a click asks again
COLUMNS = ("version", "since (UTC)", "until", "by", "reason", "data", "corrections")
Result = TypeVar("Result")


def build(services: "Services", key: Component, dataset: Component) -> None:
    """Adds the section."""

    def show(request: gr.Request, key: str, dataset: str) -> tuple[str, dict[str, Any]]:
        require_operator(services, request, key)
        return shown(services, selected_classifier(services, dataset).bundle.dataset)

    def promote(request: gr.Request, key: str, dataset: str, version: str, reason: str) -> tuple[str, dict[str, Any]]:
        require_operator(services, request, key)
        name = selected_classifier(services, dataset).bundle.dataset
        _asked(production.promote, services, name, version or "", (reason or "")[: records.MAX_REASON])
        return shown(services, name)

    def roll_back(request: gr.Request, key: str, dataset: str, reason: str) -> tuple[str, dict[str, Any]]:
        require_operator(services, request, key)
        name = selected_classifier(services, dataset).bundle.dataset
        _asked(production.rollback, services, name, (reason or "")[: records.MAX_REASON])
        return shown(services, name)

    with gr.Row():
        showing = gr.Button("Show the log", variant="primary")
        back = gr.Button("Roll back", variant="stop")
    log = gr.HTML(elem_id="production-log")
    with gr.Row():
        version = gr.Dropdown([], label="Version", interactive=True, info="with what the gate said of it")
        reason = gr.Textbox(label="Reason", max_length=records.MAX_REASON, info="needed past the gate; kept in the log")
        promoting = gr.Button("Promote")
    parts = [log, version]
    showing.click(show, [key, dataset], parts, **PRIVATE)
    back.click(roll_back, [key, dataset, reason], parts, **PRIVATE)
    promoting.click(promote, [key, dataset, version, reason], parts, **PRIVATE)
    _build_replay(services, key, dataset, version)


def _build_replay(services: "Services", key: Component, dataset: Component, version: Component) -> None:
    def again(request: gr.Request, key: str, dataset: str, version: str, since: float | None) -> str:
        require_operator(services, request, key)
        name = selected_classifier(services, dataset).bundle.dataset
        if services.recorder is None:
            raise gr.Error("No history is kept here. HISTORY=true keeps one.", print_exception=False)
        bundle = _asked(bundle_of_version, services.settings, name, version or "")
        return changes_table(
            _asked(replay, services.recorder.history, bundle, SPECS[name], since or 0.0, None, REPLAYED)
        )

    with gr.Row():
        since = gr.DateTime(label="Answers since (UTC)", type="timestamp", timezone="UTC")
        replaying = gr.Button("Replay on this version")
    changes = gr.HTML(elem_id="replay")
    replaying.click(again, [key, dataset, version, since], changes, **PRIVATE)


def shown(services: "Services", dataset: str) -> tuple[str, dict[str, Any]]:
    """The log as HTML, and the versions to choose among."""
    lines, versions = _asked(production.log, services, dataset), _asked(production.versions, services, dataset)
    choices = [(f"{number}: {gate[:80]}" if gate else number, number) for number, gate in versions.items()]
    return log_table(lines), gr.update(choices=choices, value=next(iter(versions), None))


def log_table(lines: list[records.ProductionEntry]) -> str:
    """HTML of the log, newest first."""
    if not lines:
        return "<p>The registry has had no model in Production yet.</p>"
    rows = [
        (
            line.version,
            format_utc(line.at),
            "now" if line.until is None else format_utc(line.until),
            line.by,
            line.reason,
            line.data_digest[:12],
            str(line.corrections),
        )
        for line in lines
    ]
    return table(COLUMNS, [[html.escape(cell) for cell in row] for row in rows])


def changes_table(found: ReplayResult) -> str:
    """HTML of the answers that would change, with their pictures."""
    count = len(found.changes)
    told = f"<p>{count} of {found.count} answers would change with version {html.escape(found.version)}.</p>"
    listed = [_cells(change) for change in found.changes[:SHOWN]]
    more = f"<p>The newest {SHOWN} of them.</p>" if count > SHOWN else ""
    return told + more + (table(("picture", "time (UTC)", "was", "would be"), listed) if listed else "")


def _cells(change: ChangedAnswer) -> list[str]:
    entry = change.entry
    was = f"{entry.label or entry.verdict} {100 * entry.confidence:.0f} %, version {entry.model_version}"
    now = f"{change.label or change.verdict} {100 * change.confidence:.0f} %"
    return [_picture(change), *map(html.escape, (format_utc(entry.answered_at), was, now))]


def _picture(change: ChangedAnswer) -> str:
    """What the model saw."""
    shape = SPECS[change.entry.dataset].image_shape
    image = np.frombuffer(change.entry.image or b"", np.uint8).reshape(shape)
    return f'<img alt="what the model saw" src="{data_url(image)}">'


def _asked(function: Callable[..., Result], *arguments: Any) -> Result:
    try:
        return function(*arguments)
    except (ModelError, RegistryError, StoreError) as error:
        raise gr.Error(str(error), print_exception=False) from None
