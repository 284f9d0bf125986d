"""The Status tab, for the operator: how the page and the API are doing, refreshed while the tab is in front."""

import html
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import gradio as gr

from experiments.data.specs import SPECS
from experiments.inference import drift_reference
from experiments.insights.html_tables import html_table
from serving.page.widgets import status_charts as charts
from serving.page.widgets.charts import Chart, plot_data
from serving.page.widgets.controls import QUIET, OperatorEvents, dataset_switch, selected_classifier
from serving.page.widgets.times import format_utc
from serving.services import BULK_SECONDS, Services
from serving.storage.digits import label_counts
from serving.storage.records import AnswerFilter

if TYPE_CHECKING:
    from serving.learning.drift import Finding

REFRESH_S = 5.0
DAY = 86_400.0  # s
CARD = {  # figures of the model card to see at once, with their captions
    "test_accuracy": "test accuracy",
    "drawn_accuracy": "on drawings",
    "validation_accuracy": "validation accuracy",
    "test_calibration_error": "calibration error",
}
OF_THE_DAY = ("Verdicts by the hour, last day", "Labels against the model's data", "Drift by feature")


def build(services: Services, tab: gr.Tab) -> None:
    """Fill the tab. The page turns its timer on while the tab is in front."""
    status = gr.HTML("<p>Loading…</p>", elem_id="status")
    with gr.Row():
        of_the_hour = [_plot("Requests a minute by status, last hour"), _plot("Latency in ms, last hour")]
    dataset = dataset_switch(services)
    verdict = gr.HTML(elem_id="drift")
    with gr.Row():
        of_the_day = [_plot(title) for title in OF_THE_DAY]
    details = gr.HTML(elem_id="status-details")
    timer = gr.Timer(REFRESH_S, active=False)
    section = [status, *of_the_hour, details]

    def show_status() -> list[Any]:
        minutes = services.metrics.last_hour.minutes()
        plots = [_shown(charts.requests(minutes)), _shown(charts.latencies(minutes))]
        return [status_line(services), *plots, details_report(services)]

    def show_day(dataset: str) -> list[Any]:
        return day_report(services, dataset)

    events = OperatorEvents(services)
    of_dataset = OperatorEvents(services, services.database_calls, dataset)
    events.refresh(timer.tick, show_status, [], section)
    opened = events.refresh(tab.select, show_status, [], section)
    of_dataset.refresh(opened, show_day, [], [verdict, *of_the_day], seconds=BULK_SECONDS)
    of_dataset.on(dataset.change, show_day, [], [verdict, *of_the_day], seconds=BULK_SECONDS, **QUIET)


def status_line(services: Services) -> str:
    """HTML: uptime and health in a line; all of it is in memory."""
    metrics, problems = services.metrics, []
    for name, problem in (("Database", services.database_problem), ("Registry", services.registry_calls.problem)):
        problems += [f"{name}: {problem}"] if problem else []
    facts = [
        f"up {timedelta(seconds=int(metrics.uptime))}",
        f"{sum(metrics.statuses.values()):,} API requests",
        f"{services.load.places.used} in progress",
    ]
    health = html.escape("; ".join(problems)) or "Database and registry answer"
    mark = "bad" if problems else "good"
    return f'<p class="health {mark}"><b>{health}</b><span>{" · ".join(facts)}</span></p>'


def details_report(services: Services) -> str:
    """HTML of the last errors and of each model; all of it is in memory."""
    errors = [
        (f"{format_utc(problem.at)} UTC", str(problem.status), problem.message, problem.request_id)
        for problem in reversed(services.metrics.problems)
    ]
    table = html_table(("time", "status", "error", "request"), errors) if errors else "<p class='empty'>No errors.</p>"
    models = "".join(_model_report(services, dataset) for dataset in services.classifiers)
    return f'<div class="cards"><div class="card wide-card"><h3>Last errors</h3>{table}</div>{models}</div>'


def day_report(services: Services, dataset: str) -> list[Any]:
    """The last day by the history, which all replicas share: a sentence on drift, and the plots. Raises StoreError."""
    if services.recorder is None:
        return ["<p class='empty'>Without a history there is nothing to show of the last day.</p>", *_hidden()]
    from serving.learning.drift import drift_of_last_day  # loads SciPy

    classifier, history = selected_classifier(services, dataset), services.recorder.history
    bundle, where = classifier.bundle, AnswerFilter(dataset=dataset, since=time.time() - DAY)
    reference = drift_reference.read(bundle)
    findings, verdict = drift_of_last_day(history, classifier)
    answered = label_counts(history.tally(where, "label"), bundle.class_names)
    return [
        f"<p>{html.escape(verdict)}</p>{_findings(findings)}",
        _shown(charts.verdicts(history.hourly(where, "verdict"))),
        _shown(charts.labels(bundle.class_names, answered, reference.labels if reference else ())),
        _shown(charts.drift(findings)),
    ]


def _findings(findings: "list[Finding]") -> str:
    """HTML: the tests behind the sentence, to unfold."""
    if not findings:
        return ""
    rows = [
        (found.measure, found.test, f"{found.effect:.2f}", f"{found.least:.2f}", f"{found.p:.2g}",
         "drifted" if found.drifted else "no drift")
        for found in findings
    ]  # fmt: skip
    table = html_table(("feature", "test", "effect", "drift from", "p", ""), rows)
    return f"<details><summary>The tests</summary>{table}</details>"


def _model_report(services: Services, dataset: str) -> str:
    """HTML: a model's answers since the start, and its card."""
    classifier, tally = services.classifiers[dataset], services.metrics.tallies[dataset]
    latency, title = tally.latencies(), SPECS[dataset].things.capitalize()
    percentiles = f"p50 {latency.p50}, p95 {latency.p95}, p99 {latency.p99} ms (last {latency.count:,} answers)"
    answers = {
        "In use since": f"{format_utc(classifier.since)} UTC",
        "Last minute": f"{tally.per_minute():,} answers",
        "Latency": percentiles if latency.count else "none",
        "Verdicts": _counts(tally.verdicts),
        "Sources": _counts(tally.sources),
    }
    metrics = classifier.bundle.metrics
    tiles = "".join(
        f"<div><b>{100 * metrics[name]:.2f} %</b><span>{caption}</span></div>"
        for name, caption in CARD.items()
        if name in metrics
    )
    per_class = tuple(f"_{name}" for name in classifier.bundle.class_names)
    card = {
        name.replace("_", " "): f"{value:.4f}"
        for name, value in sorted(metrics.items())
        if not name.endswith(per_class)
    }
    figures = html_table((), list((card | {"run": classifier.bundle.run_id}).items()), row_headers=True)
    return (
        f'<div class="card"><h3>{title}: model card</h3><p>{html.escape(classifier.describe())}</p>'
        f'<div class="tiles">{tiles}</div>{html_table((), list(answers.items()), row_headers=True)}'
        f"<details><summary>All figures</summary>{figures}</details></div>"
    )


def _counts(counter: dict[str, int]) -> str:
    return " · ".join(f"{name}: {count:,}" for name, count in sorted(counter.items())) or "none"


def _plot(title: str) -> gr.Plot:
    return gr.Plot(label=title, visible=False, elem_classes="chart", min_width=420)


def _shown(figure: Chart) -> dict[str, Any]:
    return gr.update(value=plot_data(figure), visible=True)


def _hidden() -> list[dict[str, Any]]:
    return [gr.update(visible=False) for _ in OF_THE_DAY]
