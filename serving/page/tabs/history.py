"""The History tab: what was answered, newest first, with filters, images and an export. The operator's."""

import base64
import csv
import html
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr
from gradio.components import Component

from experiments.data.specs import SPECS
from experiments.inference.predictions import Verdict
from serving.core.images import pixels_to_png
from serving.page.widgets import tables
from serving.page.widgets.controls import PRIVATE, QUIET, key_box, operator_refusal, require_operator
from serving.page.widgets.files import cache_file
from serving.storage.records import AnswerFilter, Entry, Source, StoreError

if TYPE_CHECKING:
    from serving.services import Services
    from serving.storage.history import History

ANY = "any"
OFF = "No history is kept here. HISTORY=true keeps one."
PAGE = 50  # entries
EXPORT_PAGE = 1000
LONGEST = 19  # characters of a cell: a time
COLUMNS = ("time (UTC)", "source", "data set", "verdict", "label", "confidence", "ms", "model", "client", "request")
Chosen = str | float | None
Shown = tuple[str, str, int | None]


def build(services: "Services") -> None:
    """Fills the tab."""

    def show(request: gr.Request, key: str, before: int | None, *chosen: Chosen) -> Shown:
        require_operator(services, request, key)
        kept, wanted = _history(services), _filter(*chosen)
        found = kept.search(replace(wanted, before=before), PAGE)
        older = found[-1].id if len(found) == PAGE else None
        total = kept.count(wanted)
        return f"{total:,} answer{' matches' if total == 1 else 's match'}.", table(found), older

    def show_newest(request: gr.Request, key: str, *chosen: Chosen) -> Shown:
        return show(request, key, None, *chosen)

    def open_tab(request: gr.Request, key: str, *chosen: Chosen) -> Shown:
        reason = operator_refusal(services, request, key) or ("" if services.recorder else OFF)
        return (reason, "", None) if reason else show_newest(request, key, *chosen)

    def export(request: gr.Request, key: str, *chosen: Chosen) -> dict[str, Any]:
        require_operator(services, request, key)
        write = partial(write_csv, _history(services), _filter(*chosen))
        return gr.update(value=cache_file("history.csv", write), visible=True)

    key = key_box(services)
    filters = _filters()
    with gr.Row():
        newest, older = gr.Button("Show the newest", variant="primary"), gr.Button("Older")
        exporting = gr.Button("Export as CSV")
    count = gr.Markdown(elem_id="history-count")
    rows = gr.HTML(elem_id="history-rows")
    file = gr.File(label="Export", interactive=False, visible=False)
    before = gr.State(None)
    tab: gr.Tab = key.parent  # type: ignore[assignment]
    tab.select(open_tab, [key, *filters], [count, rows, before], **QUIET)
    newest.click(show_newest, [key, *filters], [count, rows, before], **PRIVATE)
    key.submit(show_newest, [key, *filters], [count, rows, before], **PRIVATE)
    older.click(show, [key, before, *filters], [count, rows, before], **PRIVATE)
    exporting.click(export, [key, *filters], file, **PRIVATE)


def _filters() -> list[Component]:
    """In the order of _filter's values."""
    labels = dict.fromkeys(name for spec in SPECS.values() for name in spec.class_names)
    with gr.Row():
        chosen = [
            gr.Dropdown([ANY, *SPECS], value=ANY, label="Data set"),
            gr.Dropdown([ANY, *get_args(Verdict)], value=ANY, label="Verdict"),
            gr.Dropdown([ANY, *labels], value=ANY, label="Label"),
            gr.Dropdown([ANY, *get_args(Source)], value=ANY, label="Source"),
            gr.Textbox(label="Model version", max_length=16),
            gr.Textbox(label="Client", max_length=16),
        ]
    with gr.Row():
        options = {"type": "timestamp", "timezone": "UTC", "min_width": 240}
        times = [gr.DateTime(label=f"{name} (UTC)", **options) for name in ("Since", "Until")]
    return [*chosen, *times]


def table(entries: list[Entry]) -> str:
    """HTML of these, the images as part of it, so that no file lies about for others to fetch."""
    if not entries:
        return "<p>Nothing here.</p>"
    rows = [(_image(entry), *map(_cell, cells(entry))) for entry in entries]
    return tables.table(("image", *COLUMNS), rows)


def _cell(text: str) -> str:
    """Ids by their beginning; the whole is seen on pointing at it, and in the export."""
    shown = text if len(text) <= LONGEST else f"{text[:8]}…"
    return f'<span title="{html.escape(text)}">{html.escape(shown)}</span>'


def cells(entry: Entry) -> tuple[str, ...]:
    """An entry as the texts of COLUMNS."""
    return (
        tables.format_utc(entry.answered_at),
        entry.source,
        entry.dataset,
        entry.verdict,
        entry.label,
        f"{entry.confidence:.3f}",
        f"{entry.milliseconds:.1f}",
        entry.model_version,
        entry.client,
        entry.request_id,
    )


def write_csv(history: "History", wanted: AnswerFilter, path: Path) -> None:
    """Everything that matches, newest first, without the images."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*COLUMNS, "model SHA-256", "corrected"))
        writer.writerows((*cells(entry), entry.model_sha256, entry.corrected or "") for entry in _all(history, wanted))


def _all(history: "History", wanted: AnswerFilter) -> Iterator[Entry]:
    while found := history.search(wanted, EXPORT_PAGE):
        yield from found
        wanted = replace(wanted, before=found[-1].id)


def _history(services: "Services") -> "History":
    if services.recorder is None:
        raise gr.Error(OFF, print_exception=False)
    try:
        return services.recorder.history
    except StoreError as error:
        raise gr.Error(str(error), print_exception=False) from None


def _filter(*chosen: Chosen) -> AnswerFilter:
    """From the values of the tab's filters, in their order."""
    values = (None if value in ("", ANY) else value for value in chosen)
    dataset, verdict, label, source, version, client, since, until = values
    return AnswerFilter(
        dataset=dataset,
        verdict=verdict,
        label=label,
        source=source,
        model_version=version,
        client=client,
        since=since,
        until=until,
    )


def _image(entry: Entry) -> str:
    data = pixels_to_png(entry.image, entry.dataset)
    if data is None:
        return ""
    return f'<img alt="what the model saw" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
