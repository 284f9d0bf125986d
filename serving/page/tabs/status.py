"""The Status tab, for the operator: how the page and the API are doing, refreshed while the tab is in front."""

import html
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import gradio as gr

from experiments.data.specs import SPECS
from experiments.insights.html_tables import html_table
from serving.page.widgets.controls import QUIET, OperatorEvents, operator_refusal
from serving.page.widgets.times import format_utc
from serving.services import BULK_SECONDS, Services
from serving.storage.recorder import Recorder
from serving.storage.records import StoreError

if TYPE_CHECKING:
    from serving.learning.drift import Finding

REFRESH_S = 2.0


def build(services: Services, tab: gr.Tab) -> None:
    """Fill the tab. The page turns its timer on while the tab is in front."""
    status = gr.HTML("<p>Loading…</p>", elem_id="status")
    drift = gr.HTML(elem_id="drift")
    timer = gr.Timer(REFRESH_S, active=False)

    def show_status() -> str:
        return status_report(services)

    async def show_drift(request: gr.Request) -> str:
        return "" if operator_refusal(services, request) else await drift_report(services)

    events = OperatorEvents(services)
    events.refresh(timer.tick, show_status, [], status)
    events.refresh(tab.select, show_status, [], status).then(show_drift, None, drift, **QUIET)


def status_report(services: Services) -> str:
    """HTML of the server's figures and of each model's; all of them are in memory."""
    metrics = services.metrics
    server = {
        "Uptime": str(timedelta(seconds=int(metrics.uptime))),
        "API requests by status": _counts(metrics.statuses),
        "Requests in progress": str(services.load.places.used),
        "Database": services.database_problem or "answers",
        "Registry": services.registry_calls.problem or "answers",
    }
    errors = {
        f"{format_utc(problem.at)} UTC {problem.request_id}": f"{problem.status}: {problem.message}"
        for problem in reversed(list(metrics.problems))
    }
    parts = [
        _section("Server", server),
        _section("Last errors", errors) if errors else "<h3>Last errors</h3><p>None.</p>",
        *(_model_report(services, dataset) for dataset in services.classifiers),
    ]
    return f'<div class="side-by-side">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


async def drift_report(services: Services) -> str:
    """HTML: for each data set, whether the last day's pictures still look like those its model was made for."""
    if services.recorder is None:
        return ""
    try:
        drifts = await services.database_calls.call_within(BULK_SECONDS, partial(_drifts, services.recorder, services))
    except StoreError as error:
        return f"<p>{html.escape(str(error))}</p>"
    sections = []
    for dataset, (findings, verdict) in drifts.items():
        measures = {
            finding.measure: f"{'drifted' if finding.drifted else 'no drift'}: {finding.test}, "
            f"effect {finding.effect:.2f}, p {finding.p:.2g}"
            for finding in findings
        }
        sections.append(_section(f"Drift of {SPECS[dataset].things}", {"verdict": verdict} | measures))
    return "".join(sections)


def _drifts(recorder: Recorder, services: Services) -> "dict[str, tuple[list[Finding], str]]":
    """By data set. Raises StoreError."""
    from serving.learning.drift import drift_of_last_day  # loads SciPy

    classifiers = services.classifiers.items()
    return {dataset: drift_of_last_day(recorder.history, classifier) for dataset, classifier in classifiers}


def _model_report(services: Services, dataset: str) -> str:
    classifier, tally = services.classifiers[dataset], services.metrics.tallies[dataset]
    latency, title = tally.latencies(), SPECS[dataset].things.capitalize()
    percentiles = f"p50 {latency.p50}, p95 {latency.p95}, p99 {latency.p99} (last {latency.count:,} answers)"
    answers = {
        "Model": classifier.describe(),
        "In use since": f"{format_utc(classifier.since)} UTC",
        "Answers in the last minute": str(tally.per_minute()),
        "Latency, ms": percentiles if latency.count else "none",
        "Verdicts": _counts(tally.verdicts),
        "Labels": _counts(tally.labels),
        "Sources": _counts(tally.sources),
    }
    per_class = tuple(f"_{name}" for name in classifier.bundle.class_names)
    card = {
        name.replace("_", " "): f"{value:.4f}"
        for name, value in sorted(classifier.bundle.metrics.items())
        if not name.endswith(per_class)
    }
    return _section(title, answers) + _section(f"{title}: model card", card | {"run": classifier.bundle.run_id})


def _section(title: str, rows: dict[str, str]) -> str:
    return f"<h3>{title}</h3>{html_table((), list(rows.items()), row_headers=True)}"


def _counts(counter: dict[str, int]) -> str:
    return " · ".join(f"{name}: {count:,}" for name, count in sorted(counter.items())) or "none"
