"""The Status tab: how the page and API are doing, refreshed by a timer while it is looked at. The operator's."""

import html
from datetime import timedelta
from typing import TYPE_CHECKING

import gradio as gr

from experiments.data.specs import SPECS
from serving.page.widgets.controls import QUIET, key_box, operator_refusal
from serving.page.widgets.tables import format_utc, table
from serving.storage.records import StoreError

if TYPE_CHECKING:
    from serving.services import Services

EVERY = 2.0  # s


def build(services: "Services") -> None:
    """Fills the tab. Its timer is off: whoever shows the tab turns it on."""

    def show(request: gr.Request, key: str) -> str:
        reason = operator_refusal(services, request, key)
        return f"<p>{html.escape(reason)}</p>" if reason else report(services)

    def compare(request: gr.Request, key: str) -> str:
        return "" if operator_refusal(services, request, key) else drifts(services)

    key = key_box(services)
    text = gr.HTML("<p>One moment, please.</p>", elem_id="status")
    drift = gr.HTML(elem_id="drift")
    timer = gr.Timer(EVERY, active=False)
    timer.tick(show, key, text, **QUIET)
    opened = key.parent.select(show, key, text, **QUIET)  # type: ignore[union-attr]  # its parent is the tab
    opened.then(compare, key, drift, **QUIET)


def report(services: "Services") -> str:
    """HTML of the figures, all of them from memory."""
    metrics = services.metrics
    figures = {
        "Up": str(timedelta(seconds=int(metrics.uptime))),
        "API requests by status": _counts(metrics.statuses),
        "Being answered": str(services.load.requests),
    }
    errors = {
        f"{format_utc(problem.at)} UTC {problem.request_id}": f"{problem.status}: {problem.message}"
        for problem in reversed(list(metrics.problems))
    }
    models = "".join(f"<div>{_model(services, dataset)}</div>" for dataset in services.classifiers)
    failed = _table("Last errors", errors) if errors else "<h3>Last errors</h3><p>None.</p>"
    return f'<div class="side-by-side"><div>{_table("Now", figures)}</div><div>{failed}</div>{models}</div>'


def drifts(services: "Services") -> str:
    """HTML: for each data set, whether the last day's pictures are like those that its model was made for."""
    from serving.learning.drift import drift_of_last_day

    if services.recorder is None:
        return ""
    told = ""
    for dataset, classifier in services.classifiers.items():
        try:
            findings, verdict = drift_of_last_day(services.recorder.history, classifier)
        except StoreError as error:
            return f"<p>{html.escape(str(error))}</p>"
        rows = {
            finding.measure: f"{'drifted' if finding.drifted else 'as before'}: {finding.test}, effect "
            f"{finding.effect:.2f}, p {finding.p:.2g}"
            for finding in findings
        }
        told += _table(f"Drift of {SPECS[dataset].things}", {"verdict": verdict} | rows)
    return told


def _model(services: "Services", dataset: str) -> str:
    """What one data set's model answered, and its card."""
    classifier, tally = services.classifiers[dataset], services.metrics.tallies[dataset]
    latency, things = tally.latencies(), SPECS[dataset].things.capitalize()
    measured = f"p50 {latency.p50}, p95 {latency.p95}, p99 {latency.p99} (last {latency.count:,} answers)"
    figures = {
        "Model": classifier.describe(),
        "Serving it since": f"{format_utc(classifier.since)} UTC",
        "Answers in the last minute": str(tally.per_minute()),
        "Latency, ms": measured if latency.count else "none",
        "Verdicts": _counts(tally.verdicts),
        "Labels": _counts(tally.labels),
        "Sources": _counts(tally.sources),
    }
    scores = sorted(classifier.bundle.metrics.items())
    each_class = tuple(f"_{name}" for name in classifier.bundle.class_names)
    card = {name.replace("_", " "): f"{value:.4f}" for name, value in scores if not name.endswith(each_class)}
    return _table(things, figures) + _table(f"{things}: model card", card | {"run": classifier.bundle.run_id})


def _table(title: str, rows: dict[str, str]) -> str:
    body = table((), [tuple(map(html.escape, row)) for row in rows.items()], row_headers=True)
    return f"<h3>{title}</h3>{body}"


def _counts(counter: dict[str, int]) -> str:
    return " · ".join(f"{name}: {count:,}" for name, count in sorted(counter.items())) or "none"
