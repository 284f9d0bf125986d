"""Section of the Retrain tab: pending corrections, to accept, relabel or drop."""

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from experiments.data.specs import SPECS
from experiments.insights.html_tables import html_table
from serving.core.images import data_url
from serving.learning.contradictions import ask_about
from serving.learning.suspicious_clients import ClientSummary, client_summaries
from serving.page.widgets.controls import OperatorEvents
from serving.page.widgets.errors import page_error
from serving.services import BULK_SECONDS, Services
from serving.storage.records import Correction, CorrectionFilter, ReviewState

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections

PAGE_SIZE = 60  # pictures: more would take the browser seconds
ALL_CLIENTS = "all clients"
AS_PROPOSED = "as proposed"
SectionUpdate = tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]


def build(services: Services, dataset: gr.Radio) -> None:
    """Add the section."""
    with gr.Row():
        showing = gr.Button("Show pending corrections", variant="primary")
        client = gr.Dropdown([ALL_CLIENTS], value=ALL_CLIENTS, label="Client", interactive=True)
    counts = gr.HTML(elem_id="review-counts")
    images = gr.HTML(elem_id="review-images")
    selected = gr.CheckboxGroup([], label="Pictures", show_select_all=True, visible=False, elem_id="review")
    with gr.Row():
        label = gr.Dropdown([AS_PROPOSED], value=AS_PROPOSED, label="Accept with label", interactive=True)
        accepting = gr.Button("Accept selected", variant="primary")
        dropping = gr.Button("Drop selected")
        dropping_all = gr.Button("Drop all from client", variant="stop")

    def show(dataset: str, client: str) -> SectionUpdate:
        return pending_corrections(services.corrections, dataset, client)

    def review(state: ReviewState, whole_client: bool = False) -> Callable[..., SectionUpdate]:
        def decide(dataset: str, client: str, selected: list[int], label: str) -> SectionUpdate:
            new_label = label if state == "accepted" and label in SPECS[dataset].class_names else None
            chosen = _of_client(dataset, client) if whole_client else _of_ids(dataset, selected)
            services.corrections.review(chosen, state, new_label)
            asked = ask_about(services, dataset, chosen.ids or []) if state == "accepted" else 0
            counts, pictures, boxes, clients, labels = show(dataset, client)
            return _asked_about(asked) + counts, pictures, boxes, clients, labels

        return decide

    events = OperatorEvents(services, services.database_calls, dataset)
    section = [counts, images, selected, client, label]
    events.on([showing.click, client.input], show, [client], section)
    events.on(accepting.click, review("accepted"), [client, selected, label], section, seconds=BULK_SECONDS)
    events.on(dropping.click, review("dropped"), [client, selected, label], section)
    events.on(dropping_all.click, review("dropped", whole_client=True), [client, selected, label], section)


def pending_corrections(corrections: "Corrections", dataset: str, client: str) -> SectionUpdate:
    """Updates of the section: counts and suspicious clients, the pictures, their tick boxes, and the clients and labels
    to choose from."""
    summaries = client_summaries(corrections, dataset)
    clients = [ALL_CLIENTS, *(summary.client for summary in summaries)]
    client = client if client in clients else ALL_CLIENTS
    only = None if client == ALL_CLIENTS else client
    pending = corrections.search(CorrectionFilter(dataset, state="pending", client=only), PAGE_SIZE)
    boxes = [(_caption(correction), correction.id) for correction in pending]
    return (
        _counts(corrections, dataset) + _suspicious(summaries),
        _images(pending),
        gr.update(choices=boxes, value=[], visible=bool(boxes)),
        gr.update(choices=clients, value=client),
        gr.update(choices=[AS_PROPOSED, *SPECS[dataset].class_names], value=AS_PROPOSED),
    )


def _of_ids(dataset: str, ids: Sequence[int]) -> CorrectionFilter:
    if not ids:
        raise page_error("Select some pictures first.")
    return CorrectionFilter(dataset, state="pending", ids=[int(each) for each in ids])


def _of_client(dataset: str, client: str) -> CorrectionFilter:
    if client == ALL_CLIENTS:
        raise page_error("Choose a client first: all of its pending corrections are dropped together.")
    return CorrectionFilter(dataset, state="pending", client=client)


def _counts(corrections: "Corrections", dataset: str) -> str:
    """HTML: how many corrections of each class are in each state."""
    tally, names = corrections.tally(CorrectionFilter(dataset), "state", "label"), SPECS[dataset].class_names
    open_ones = CorrectionFilter(dataset, state="accepted", unanswered=True)
    tally |= {("not learnt yet", label): count for (label,), count in corrections.tally(open_ones, "label").items()}
    rows = []
    for state in ("pending", "accepted", "not learnt yet", "dropped"):
        counts = [tally.get((state, name), 0) for name in names]
        rows.append([state, *(str(count or "") for count in (*counts, sum(counts)))])
    return html_table(("", *names, "total"), rows, row_headers=True)


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
        "model was sure of. Choose this client above to see them and to drop them together.</li>"
        for summary in summaries
        if summary.suspicious
    ]
    return f"<p><b>Suspicious clients:</b></p><ul>{''.join(items)}</ul>" if items else ""


def _caption(correction: Correction) -> str:
    confidence = f", {100 * correction.confidence:.0f} %" if correction.given else ""
    return f"{_change(correction.given, correction.label)}{confidence}"


def _change(given: str, label: str) -> str:
    return f"{label}, confirmed" if given == label else f"{given or 'none'} → {label}"


def _images(pending: Sequence[Correction]) -> str:
    """HTML: a style sheet that puts each picture above its tick box, since Gradio's check boxes have text alone."""
    rules = (
        f"#review label:nth-of-type({number})::before {{ background-image: url({_url(correction)}); }}"
        for number, correction in enumerate(pending, 1)
    )
    return f"<style>{''.join(rules)}</style>" if pending else "<p>No corrections are pending.</p>"


def _url(correction: Correction) -> str:
    shape = SPECS[correction.dataset].image_shape
    return data_url(np.frombuffer(correction.image, np.uint8).reshape(shape))
