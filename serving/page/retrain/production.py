"""Section of the Retrain tab: the Production log, promotion and rollback by hand, and replays of past answers."""

import html
from functools import partial
from itertools import islice
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from experiments.inference.predictions import Prediction
from experiments.insights.html_tables import html_table, wide
from serving.learning import production
from serving.learning.replay import ReplayResult, bundle_of_version, replay
from serving.page.widgets.controls import OperatorEvents, Refresh, open_history
from serving.page.widgets.gallery import stored_image
from serving.page.widgets.times import format_utc
from serving.services import Services
from serving.storage.records import MAX_REASON, AnswerFilter, Entry, ProductionEntry

LISTED_CHANGES = 100
REPLAYED_ANSWERS = 20_000
REPLAY_SECONDS = 120.0
BY = {"gate": "by the gate", "hand": "by hand", "rollback": "rolled back", "start": "at the start"}
SectionUpdate = tuple[Any, ...]


def build(services: Services, dataset: gr.Radio) -> Refresh:
    """Add the section."""
    log = gr.HTML("<p class='empty'>Asking the registry…</p>", elem_id="production-log")
    with gr.Row(visible=False) as changing:
        version = gr.Dropdown([], label="Version", interactive=True, info="with what the gate decided")
        reason = gr.Textbox(label="Reason", max_length=MAX_REASON, info="needed to override the gate; kept in the log")
        with gr.Column(min_width=160, scale=0):
            promoting = gr.Button("Promote")
            rolling_back = gr.Button("Roll back", variant="stop", visible=False)
    with gr.Accordion("Replay past answers on this version", open=False, visible=False) as past:
        since = gr.DateTime(label="Answers since (UTC)", type="timestamp", timezone="UTC")
        replaying = gr.Button("Replay on this version")
        changes = gr.HTML(elem_id="replay")
    section = [log, version, changing, rolling_back, past]

    def show(dataset: str) -> SectionUpdate:
        return section_update(services, dataset)

    def promote(dataset: str, version: str | None, reason: str | None) -> SectionUpdate:
        production.promote(services, dataset, version or "", (reason or "")[:MAX_REASON])
        return show(dataset)

    def roll_back(dataset: str, reason: str | None) -> SectionUpdate:
        production.rollback(services, dataset, (reason or "")[:MAX_REASON])
        return show(dataset)

    def replay_answers(dataset: str, version: str | None, since: float | None) -> str:
        history, bundle = open_history(services), bundle_of_version(services.settings, dataset, version or "")
        where = AnswerFilter(dataset=dataset, since=since or 0.0)
        kept = islice(history.iterate(where, services.database_calls.call_and_wait), REPLAYED_ANSWERS)
        return changes_report(replay(kept, bundle, SPECS[dataset]))

    events = OperatorEvents(services, services.registry_calls, dataset)
    events.on(rolling_back.click, roll_back, [reason], section)
    events.on(promoting.click, promote, [version, reason], section)
    long: dict[str, Any] = {"seconds": REPLAY_SECONDS, "concurrency_limit": 1}
    events.on(replaying.click, replay_answers, [version, since], changes, **long)
    return partial(events.refresh, handler=show, inputs=[], outputs=section)


def section_update(services: Services, dataset: str) -> SectionUpdate:
    """Updates of the section: the log, the versions to choose from, and what can be done with them. Raises
    RegistryError, StoreError."""
    entries, versions = production.log(services, dataset), production.versions(services, dataset)
    choices = [(f"{number}: {gate[:80]}" if gate else number, number) for number, gate in versions.items()]
    return (
        timeline(entries),
        gr.update(choices=choices, value=next(iter(versions), None)),
        gr.update(visible=len(versions) > 1),
        gr.update(visible=len(entries) > 1),
        gr.update(visible=len(versions) > 1 and services.recorder is not None),
    )


def timeline(entries: list[ProductionEntry]) -> str:
    """HTML of the log, newest first."""
    if not entries:
        return "<p class='empty'>No model of the registry has been in Production yet: the shipped one answers.</p>"
    return f'<ol class="timeline">{"".join(map(_moment, entries))}</ol>'


def changes_report(result: ReplayResult) -> str:
    """HTML of the answers that would change, with their pictures."""
    count = len(result.changes)
    summary = f"<p>{count} of {result.count} answers would change with version {html.escape(result.version)}.</p>"
    if not count:
        return summary
    newest = f"<p>The newest {LISTED_CHANGES}:</p>" if count > LISTED_CHANGES else ""
    rows = [_change_cells(*change) for change in result.changes[:LISTED_CHANGES]]
    return summary + newest + wide(html_table(("picture", "time (UTC)", "was", "would be"), rows), "Changed answers")


def _moment(entry: ProductionEntry) -> str:
    """HTML of a version's time in Production."""
    mark = ' class="now"' if entry.until is None else ""
    until = "now" if entry.until is None else format_utc(entry.until)
    facts = [f"{entry.corrections:,} corrections"] if entry.corrections else []
    facts += [f"data {html.escape(entry.data_digest[:12])}"] if entry.data_digest else []
    return (
        f"<li{mark}><b>Version {html.escape(entry.version)}</b> "
        f'<span class="badge">{html.escape(BY.get(entry.by, entry.by))}</span>'
        f"<time>{format_utc(entry.at)} to {until} UTC</time>"
        f"<p>{html.escape(entry.reason)}</p><small>{' · '.join(facts)}</small></li>"
    )


def _change_cells(entry: Entry, prediction: Prediction) -> tuple[str, ...]:
    before = f"{entry.label or entry.verdict} {100 * entry.confidence:.0f} %, version {entry.model_version}"
    after = f"{prediction.label or prediction.verdict} {100 * prediction.confidence:.0f} %"
    return (stored_image(entry.image, entry.dataset), format_utc(entry.answered_at), before, after)
