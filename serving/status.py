"""The Status tab: how the page and API are doing, refreshed by a timer while it is looked at. The operator's."""

import html
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import gradio as gr

from serving.operator_tabs import check, key_box
from serving.services import DEFAULT

if TYPE_CHECKING:
    from serving.services import Services

EVERY = 2.0  # s


def build(services: "Services") -> None:
    """Fills the tab. Its timer is off: whoever shows the tab turns it on."""

    def show(request: gr.Request, key: str) -> str:
        check(services, request, key)
        return report(services)

    key = key_box(services)
    text = gr.HTML("<p>Open this tab to see how the page is doing.</p>", elem_id="status")
    timer = gr.Timer(EVERY, active=False)
    timer.tick(show, key, text, api_visibility="private", show_progress="hidden")


def report(services: "Services") -> str:
    """HTML of the figures, all of them from memory."""
    metrics, latency = services.metrics, services.metrics.latencies()
    figures = {
        "Up": str(timedelta(seconds=int(metrics.uptime))),
        "Model": services.classifier(DEFAULT).describe(),
        "Serving it since": _time(services.classifier(DEFAULT).since),
        "Answers in the last minute": str(metrics.per_minute()),
        "Latency, ms": f"p50 {latency.p50}, p95 {latency.p95}, p99 {latency.p99} (last {latency.count} answers)",
        "Verdicts": _counts(metrics.verdicts),
        "Labels": _counts(metrics.labels),
        "Sources": _counts(metrics.sources),
        "API requests by status": _counts(metrics.statuses),
        "Being answered": str(services.load.requests),
    }
    measured = sorted(services.classifier(DEFAULT).bundle.metrics.items())
    card = {name: f"{value:.4f}" for name, value in measured if not name[-1].isdigit()}  # less each class by itself
    errors = {
        f"{_time(problem.at)} {problem.request_id}": f"{problem.status}: {problem.message}"
        for problem in reversed(list(metrics.problems))
    }
    return (
        _table("Now", figures)
        + _table("Last errors", errors or {"none": ""})
        + _table("Model card", card | {"run": services.classifier(DEFAULT).bundle.run_id})
    )


def _table(title: str, rows: dict[str, str]) -> str:
    body = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in rows.items())
    return f"<h3>{title}</h3><table>{body}</table>"


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
