"""In the Retrain tab: the corrections that wait, to accept, relabel or drop. The operator's."""

import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.components import Component

from experiments.data.specs import SPECS
from serving.core.images import data_url
from serving.learning.suspicious_clients import ClientSummary, client_summaries
from serving.page.widgets.controls import PRIVATE, require_operator, selected_classifier
from serving.page.widgets.tables import table
from serving.storage.records import Correction, CorrectionFilter, ReviewState, StoreError

if TYPE_CHECKING:
    from serving.services import Services
    from serving.storage.corrections import Corrections

PAGE = 60  # pictures: more would take the browser seconds
EVERYONE = "everyone"
AS_TOLD = "as they say"
Shown = tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]


def build(services: "Services", key: Component, dataset: Component) -> None:
    """Adds the section."""

    def show(request: gr.Request, key: str, dataset: str, client: str) -> Shown:
        require_operator(services, request, key)
        return shown(_corrections(services), selected_classifier(services, dataset).bundle.dataset, client)

    def judging(state: ReviewState, together: bool) -> Callable[..., Shown]:
        def judge(request: gr.Request, key: str, dataset: str, client: str, picked: list[int], label: str) -> Shown:
            require_operator(services, request, key)
            corrections, name = _corrections(services), selected_classifier(services, dataset).bundle.dataset
            new = label if state == "accepted" and label in SPECS[name].class_names else None
            corrections.review(_meant(name, client, picked, together), state, new)
            return shown(corrections, name, client)

        return judge

    with gr.Row():
        showing = gr.Button("Show what waits for review", variant="primary")
        client = gr.Dropdown([EVERYONE], value=EVERYONE, label="From", interactive=True)
    told = gr.HTML(elem_id="review-told")
    tiles = gr.HTML(elem_id="review-tiles")
    picked = gr.CheckboxGroup([], label="Pictures", show_select_all=True, visible=False, elem_id="review")
    with gr.Row():
        label = gr.Dropdown([AS_TOLD], value=AS_TOLD, label="Label of those accepted", interactive=True)
        accept = gr.Button("Accept the ticked", variant="primary")
        drop = gr.Button("Drop the ticked")
        drop_all = gr.Button("Drop all of this client", variant="stop")
    asked, parts = [key, dataset, client], [told, tiles, picked, client, label]
    gr.on([showing.click, client.input], show, asked, parts, **PRIVATE)
    for button, state, together in ((accept, "accepted", False), (drop, "dropped", False), (drop_all, "dropped", True)):
        button.click(judging(state, together), [*asked, picked, label], parts, **PRIVATE)


def shown(corrections: "Corrections", dataset: str, client: str) -> Shown:
    """The values of the section's parts: what stands out and the counts, the tiles' pictures, the tiles, the clients
    and the labels to choose from."""
    found = client_summaries(corrections, dataset)
    clients = [EVERYONE, *(group.client for group in found)]
    client = client if client in clients else EVERYONE
    whose = None if client == EVERYONE else client
    waiting = corrections.search(CorrectionFilter(dataset, state="pending", client=whose), PAGE)
    tiles = gr.update(choices=[(_caption(each), each.id) for each in waiting], value=[], visible=bool(waiting))
    labels = [AS_TOLD, *SPECS[dataset].class_names]
    return (
        _counts(corrections, dataset) + _standing_out(found),
        _pictures(waiting),
        tiles,
        gr.update(choices=clients, value=client),
        gr.update(choices=labels, value=AS_TOLD),
    )


def _meant(dataset: str, client: str, picked: list[int], together: bool) -> CorrectionFilter:
    """Which corrections a button is about. Raises gr.Error when it is about none."""
    if not together:
        if not picked:
            raise gr.Error("Tick some pictures first.", print_exception=False)
        return CorrectionFilter(dataset, state="pending", ids=[int(each) for each in picked])
    if client == EVERYONE:
        raise gr.Error("Choose a client first: all that is from them is dropped together.", print_exception=False)
    return CorrectionFilter(dataset, state="pending", client=client)


def _counts(corrections: "Corrections", dataset: str) -> str:
    """HTML: how many there are of each class in each state."""
    found = corrections.tally(CorrectionFilter(dataset), "state", "label")
    names = SPECS[dataset].class_names
    rows = []
    for state in ("pending", "accepted", "dropped"):
        counts = [found.get((state, name), 0) for name in names]
        rows.append([state, *(str(count or "") for count in (*counts, sum(counts)))])
    return table(("", *names, "all"), rows, row_headers=True)


def _standing_out(found: Sequence[ClientSummary]) -> str:
    """HTML: the clients that should be looked at as a whole."""
    told = [
        f"<li><b>{group.client}</b>: {group.count:,} corrections, {group.repeated:,} of them "
        f"{html.escape(_change(group.given, group.label))}, {group.contradicting:,} against sure answers. "
        "Choose this client to see them; one button drops them all.</li>"
        for group in found
        if group.suspicious
    ]
    return f"<p><b>These stand out:</b></p><ul>{''.join(told)}</ul>" if told else ""


def _caption(correction: Correction) -> str:
    sure = f", {100 * correction.confidence:.0f} %" if correction.given else ""
    return f"{_change(correction.given, correction.label)}{sure}"


def _change(given: str, label: str) -> str:
    return f"{label}, as read" if given == label else f"{given or 'none'} → {label}"


def _pictures(waiting: Sequence[Correction]) -> str:
    """HTML: a style that puts each picture above its tick box, which a group of them has no room for."""
    rules = (
        f"#review label:nth-of-type({number})::before {{ background-image: url({data_url(_image(each))}); }}"
        for number, each in enumerate(waiting, 1)
    )
    return f"<style>{''.join(rules)}</style>" if waiting else "<p>Nothing waits for review.</p>"


def _image(correction: Correction) -> np.ndarray:
    return np.frombuffer(correction.image, np.uint8).reshape(SPECS[correction.dataset].image_shape)


def _corrections(services: "Services") -> "Corrections":
    from serving.storage.corrections import Corrections

    try:
        return Corrections(services.database)
    except StoreError as error:
        raise gr.Error(str(error), print_exception=False) from None
