"""Section of the Retrain tab: pending corrections, to accept, relabel or drop."""

import html
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from experiments.data.specs import SPECS
from experiments.insights.html_tables import html_table, wide
from serving.core.images import data_url
from serving.learning.contradictions import ask_about
from serving.learning.suspicious_clients import ClientSummary, client_summaries
from serving.page.widgets.controls import OperatorEvents, Refresh
from serving.page.widgets.errors import page_error
from serving.services import BULK_SECONDS, Services
from serving.storage.records import Correction, CorrectionFilter, ReviewState

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections

PAGE_SIZE = 60  # pictures: more would take the browser seconds
ALL_CLIENTS = "all clients"
DIGITS_OF_AN_ID = 19  # of 64 bits
ACCEPTED, DROPPED = "accepted", "dropped"
DECISIONS_OF_GALLERY = """(dataset, client, _) => [dataset, client, Object.fromEntries(
    [...document.querySelectorAll("#review figure")]
        .map(figure => [figure.dataset.id, figure.querySelector("select").value])
        .filter(([, decision]) => decision)
)]"""
"""Runs in the browser: what the lists below the pictures say, by the correction's id."""
HELP = (
    "<p class='keys'><kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>A</kbd> accept, <kbd>D</kbd> drop, "
    "<kbd>0</kbd>–<kbd>9</kbd> accept as that class, <kbd>U</kbd> undo, <kbd>Enter</kbd> save. "
    "A click on a picture goes from accept to drop and back.</p>"
)
TO_ALL = (
    "<div class='to-all'><button type='button' data-all='accepted'>Accept all</button>"
    "<button type='button' data-all='dropped'>Drop all</button>"
    "<button type='button' data-all=''>Undo all</button><span class='decided' role='status'></span></div>"
)
SectionUpdate = tuple[Any, ...]


def build(services: Services, dataset: gr.Radio) -> Refresh:
    """Add the section."""
    counts = gr.HTML(elem_id="review-counts")
    with gr.Row(visible=False) as of_client:
        client = gr.Dropdown([ALL_CLIENTS], value=ALL_CLIENTS, label="Client", interactive=True)
        dropping_all = gr.Button("Drop all from client", variant="stop", visible=False)
    script = Path(__file__).with_name("review.js").read_text(encoding="utf-8")
    pictures = gr.HTML(elem_id="review", js_on_load=script)
    decisions = gr.JSON(visible=False)
    saving = gr.Button("Save decisions", variant="primary", visible=False, elem_id="review-save")

    def show(dataset: str, client: str) -> SectionUpdate:
        return pending_corrections(services.corrections, dataset, client)

    def save(dataset: str, client: str, decisions: Any) -> SectionUpdate:
        groups, asked = decided(decisions, SPECS[dataset].class_names), 0
        for (state, label), ids in groups.items():
            services.corrections.review(CorrectionFilter(dataset, state="pending", ids=ids), state, label)
            asked += ask_about(services, dataset, ids) if state == "accepted" else 0
        counts, *others = show(dataset, client)
        return _asked_about(asked) + counts, *others

    def drop_all(dataset: str, client: str) -> SectionUpdate:
        services.corrections.review(_of_client(dataset, client), "dropped")
        return show(dataset, client)

    events = OperatorEvents(services, services.database_calls, dataset)
    section = [counts, pictures, of_client, client, dropping_all, saving]
    events.on(client.input, show, [client], section)
    events.on(saving.click, save, [client, decisions], section, seconds=BULK_SECONDS, js=DECISIONS_OF_GALLERY)
    events.on(dropping_all.click, drop_all, [client], section)
    return partial(events.refresh, handler=show, inputs=[client], outputs=section)


def pending_corrections(corrections: "Corrections", dataset: str, client: str) -> SectionUpdate:
    """Updates of the section: counts and suspicious clients, the pictures, the clients to choose from, and the buttons
    for which there is something to do."""
    summaries = client_summaries(corrections, dataset)
    clients = [ALL_CLIENTS, *(summary.client for summary in summaries)]
    client = client if client in clients else ALL_CLIENTS
    only = None if client == ALL_CLIENTS else client
    pending = corrections.search(CorrectionFilter(dataset, state="pending", client=only), PAGE_SIZE)
    return (
        _counts(corrections, dataset) + _suspicious(summaries),
        _pictures(pending, SPECS[dataset].class_names),
        gr.update(visible=bool(summaries)),
        gr.update(choices=clients, value=client),
        gr.update(visible=only is not None),
        gr.update(visible=bool(pending)),
    )


def decided(decisions: Any, class_names: Sequence[str]) -> dict[tuple[ReviewState, str | None], list[int]]:
    """Ids by what becomes of them: their state, and a label in place of the proposed one. decisions: by id, ACCEPTED,
    DROPPED or the name of a class. Raises gr.Error for anything else, or nothing."""
    groups: dict[tuple[ReviewState, str | None], list[int]] = defaultdict(list)
    if not isinstance(decisions, dict) or not decisions:
        raise page_error("Decide about some pictures first: accept or drop them.")
    for identity, decision in decisions.items():
        if not (str(identity).isascii() and str(identity).isdigit() and len(str(identity)) < DIGITS_OF_AN_ID):
            raise page_error("This is no decision about a picture that was shown.")
        if decision == DROPPED:
            groups["dropped", None].append(int(identity))
        elif decision == ACCEPTED:
            groups["accepted", None].append(int(identity))
        elif decision in class_names:
            groups["accepted", decision].append(int(identity))
        else:
            raise page_error("Choose accept, drop or one of the classes.")
    return dict(groups)


def _of_client(dataset: str, client: str) -> CorrectionFilter:
    if client == ALL_CLIENTS:
        raise page_error("Choose a client first: all of its pending corrections are dropped together.")
    return CorrectionFilter(dataset, state="pending", client=client)


def _counts(corrections: "Corrections", dataset: str) -> str:
    """HTML: how many corrections of each class are in each state; empty without any."""
    tally, names = corrections.tally(CorrectionFilter(dataset), "state", "label"), SPECS[dataset].class_names
    open_ones = CorrectionFilter(dataset, state="accepted", unanswered=True)
    if not tally:
        return ""
    tally |= {("not learnt yet", label): count for (label,), count in corrections.tally(open_ones, "label").items()}
    rows = []
    for state in ("pending", "accepted", "not learnt yet", "dropped"):
        counts = [tally.get((state, name), 0) for name in names]
        rows.append([state, *(str(count or "") for count in (*counts, sum(counts)))])
    return wide(html_table(("", *names, "total"), rows, row_headers=True), "Corrections by state and class")


def _asked_about(count: int) -> str:
    """HTML: that some of those just accepted are not learnt yet."""
    if not count:
        return ""
    return f"<p><b>{count:,} of them contradict the model:</b> answer under Contradictions whether they are right.</p>"


def _suspicious(summaries: Sequence[ClientSummary]) -> str:
    """HTML: the clients whose corrections should be looked at as a whole."""
    items = [
        f"<li><b>{summary.client}</b>: {summary.count:,} corrections, {summary.repeated:,} of them "
        f"{html.escape(_change(summary.given, summary.label))}; {summary.contradicting:,} contradict answers that the "
        "model was sure of. Choose this client below to see them and to drop them together.</li>"
        for summary in summaries
        if summary.suspicious
    ]
    return f"<p><b>Suspicious clients:</b></p><ul>{''.join(items)}</ul>" if items else ""


def _caption(correction: Correction) -> str:
    confidence = f", {100 * correction.confidence:.0f} %" if correction.given else ""
    return f"{_change(correction.given, correction.label)}{confidence}"


def _change(given: str, label: str) -> str:
    return f"{label}, confirmed" if given == label else f"{given or 'none'} → {label}"


def _pictures(pending: Sequence[Correction], class_names: Sequence[str]) -> str:
    """HTML: each picture above the list of what can become of it."""
    if not pending:
        return "<p class='empty'>Nothing waits for review. Corrections that visitors send appear here.</p>"
    figures = "".join(_figure(correction, class_names, number == 0) for number, correction in enumerate(pending))
    return f"{HELP}{TO_ALL}<div class='pictures'>{figures}</div>"


def _figure(correction: Correction, class_names: Sequence[str], first: bool) -> str:
    caption, reachable = html.escape(_caption(correction)), 0 if first else -1
    choices = {"": "undecided", ACCEPTED: "accept", DROPPED: "drop"} | {name: f"is {name}" for name in class_names}
    options = "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>' for value, text in choices.items()
    )
    return (
        f'<figure data-id="{correction.id}" role="group" aria-label="{caption}" tabindex="{reachable}">'
        f'<img alt="" src="{_url(correction)}"><figcaption>{caption}</figcaption>'
        f'<select aria-label="Decision: {caption}" tabindex="{reachable}">{options}</select></figure>'
    )


def _url(correction: Correction) -> str:
    shape = SPECS[correction.dataset].image_shape
    return data_url(np.frombuffer(correction.image, np.uint8).reshape(shape))
