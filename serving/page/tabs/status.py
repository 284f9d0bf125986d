"""The Status tab, for the operator: how the page and the API are doing, refreshed while the tab is in front."""

import html
from datetime import timedelta
from typing import cast

import gradio as gr

from experiments.data.specs import SPECS
from experiments.insights.html_tables import html_table
from serving.page.widgets.controls import QUIET, key_box, operator_refusal
from serving.page.widgets.times import format_utc
from serving.services import Services
from serving.storage.records import StoreError

REFRESH_S = 2.0


def build(services: Services) -> None:
    """Fill the tab. The page turns its timer on while the tab is in front."""
    key = key_box(services)
    status = gr.HTML("<p>Loading…</p>", elem_id="status")
    drift = gr.HTML(elem_id="drift")
    timer = gr.Timer(REFRESH_S, active=False)

    def show_status(request: gr.Request, key: str) -> str:
        reason = operator_refusal(services, request, key)
        return f"<p>{html.escape(reason)}</p>" if reason else status_report(services)

    def show_drift(request: gr.Request, key: str) -> str:
        return "" if operator_refusal(services, request, key) else drift_report(services)

    timer.tick(show_status, key, status, **QUIET)
    tab_opened = cast("gr.Tab", key.parent).select(show_status, key, status, **QUIET)
    tab_opened.then(show_drift, key, drift, **QUIET)


def status_report(services: Services) -> str:
    """HTML of the server's figures and of each model's; all of them are in memory."""
    metrics = services.metrics
    server = {
        "Uptime": str(timedelta(seconds=int(metrics.uptime))),
        "API requests by status": _counts(metrics.statuses),
        "Requests in progress": str(services.load.requests),
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


def drift_report(services: Services) -> str:
    """HTML: for each data set, whether the last day's pictures still look like those its model was made for."""
    from serving.learning.drift import drift_of_last_day  # loads SciPy

    if services.recorder is None:
        return ""
    sections = []
    for dataset, classifier in services.classifiers.items():
        try:
            findings, verdict = drift_of_last_day(services.recorder.history, classifier)
        except StoreError as error:
            return f"<p>{html.escape(str(error))}</p>"
        measures = {
            finding.measure: f"{'drifted' if finding.drifted else 'no drift'}: {finding.test}, "
            f"effect {finding.effect:.2f}, p {finding.p:.2g}"
            for finding in findings
        }
        sections.append(_section(f"Drift of {SPECS[dataset].things}", {"verdict": verdict} | measures))
    return "".join(sections)


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
