"""The History tab, for the operator: past answers, newest first, with filters, images and an export."""

import html
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr
from gradio.components import Component

from experiments.data.specs import SPECS
from experiments.inference.predictions import Verdict
from experiments.insights.html_tables import Html, html_table, wide
from serving.core.spreadsheets import write_rows
from serving.page.widgets.controls import HISTORY_OFF, OperatorEvents, open_history
from serving.page.widgets.files import cache_file
from serving.page.widgets.gallery import stored_image
from serving.page.widgets.times import format_utc
from serving.services import BULK_SECONDS, Services
from serving.storage.records import AnswerFilter, Entry, Source

if TYPE_CHECKING:
    from serving.storage.history import History

ANY = "any"
PAGE_SIZE = 50  # entries
CELL_LENGTH = 19  # characters: a time
COLUMNS = ("time (UTC)", "source", "data set", "verdict", "label", "confidence", "ms", "model", "client", "request")


def build(services: Services, tab: gr.Tab) -> None:
    """Fill the tab."""
    with gr.Column(elem_classes="card"):
        fields, filters = zip(*_build_filters().items(), strict=True)
        with gr.Row(elem_classes="beside"):
            newest = gr.Button("Show newest", variant="primary", size="md", min_width=120)
            older = gr.Button("Show older", size="md", min_width=120)
            exporting = gr.Button("Export as CSV", size="md", min_width=120)
        file = gr.File(label="Export", interactive=False, visible=False)
    with gr.Column(elem_classes="card"):
        count = gr.Markdown(elem_id="history-count")
        rows = gr.HTML(elem_id="history-rows")
    before = gr.State(None)

    def criteria(values: Sequence[Any]) -> AnswerFilter:
        chosen = {name: value for name, value in zip(fields, values, strict=True) if value not in ("", ANY)}
        return AnswerFilter(**chosen)

    def show(before: int | None, *values: Any) -> tuple[str, str, int | None]:
        return search(open_history(services), criteria(values), before)

    def show_newest(*values: Any) -> tuple[str, str, int | None]:
        return show(None, *values)

    def open_tab(*values: Any) -> tuple[str, str, int | None]:
        return show_newest(*values) if services.recorder else (HISTORY_OFF, "", None)

    def export(*values: Any) -> dict[str, Any]:
        write = partial(write_csv, open_history(services), criteria(values))
        return gr.update(value=cache_file("history.csv", write), visible=True)

    results, events = [count, rows, before], OperatorEvents(services, services.database_calls)
    events.refresh(tab.select, open_tab, filters, results)
    events.on(newest.click, show_newest, filters, results)
    events.on(older.click, show, [before, *filters], results)
    events.on(exporting.click, export, filters, file, seconds=BULK_SECONDS, concurrency_limit=1)


def _build_filters() -> dict[str, Component]:
    """The controls, by the field of AnswerFilter that each of them sets."""
    labels = dict.fromkeys(name for spec in SPECS.values() for name in spec.class_names)
    with gr.Row():
        filters: dict[str, Component] = {
            "dataset": gr.Dropdown([ANY, *SPECS], value=ANY, label="Data set"),
            "verdict": gr.Dropdown([ANY, *get_args(Verdict)], value=ANY, label="Verdict"),
            "label": gr.Dropdown([ANY, *labels], value=ANY, label="Label or number", allow_custom_value=True),
            "source": gr.Dropdown([ANY, *get_args(Source)], value=ANY, label="Source"),
            "model_version": gr.Textbox(label="Model version", max_length=16),
            "client": gr.Textbox(label="Client", max_length=16),
        }
    with gr.Row():
        for name in ("since", "until"):
            label = f"{name.capitalize()} (UTC)"
            filters[name] = gr.DateTime(label=label, type="timestamp", timezone="UTC", min_width=240)
    return filters


def search(history: "History", where: AnswerFilter, before: int | None) -> tuple[str, str, int | None]:
    """One page of the answers that match: their total in words, their table, and the id before which the next page
    starts, None after the last. Raises StoreError."""
    entries, total = history.search(replace(where, before=before), PAGE_SIZE), history.count(where)
    next_before = entries[-1].id if len(entries) == PAGE_SIZE else None
    return f"{total:,} answer{' matches' if total == 1 else 's match'}.", entries_table(entries), next_before


def entries_table(entries: list[Entry]) -> str:
    """HTML, the images as part of it, so that no file lies about for others to fetch."""
    if not entries:
        return "<p>No answers to show.</p>"
    rows = [(stored_image(entry.image, entry.dataset), *map(_shortened, cells(entry))) for entry in entries]
    return wide(html_table(("image", *COLUMNS), rows), "Answers")


def _shortened(text: str) -> Html:
    """Ids are cut to their first characters; the title, shown on hover, has the whole."""
    short = text if len(text) <= CELL_LENGTH else f"{text[:8]}…"
    return Html(f'<span title="{html.escape(text)}">{html.escape(short)}</span>')


def cells(entry: Entry) -> tuple[str, ...]:
    """The entry as text, in the order of COLUMNS."""
    return (
        format_utc(entry.answered_at),
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


def write_csv(history: "History", where: AnswerFilter, path: Path) -> None:
    """Write all answers that match, newest first, without the images."""
    with path.open("w", newline="") as file:
        rows = ((*cells(entry), entry.model_sha256, entry.corrected or "") for entry in history.iterate(where))
        write_rows(file, chain([(*COLUMNS, "model SHA-256", "corrected")], rows))
