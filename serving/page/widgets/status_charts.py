"""The plots of the Status tab."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from serving.core.last_hour import Minute
from serving.page.widgets.charts import BLUE, GREEN, ORANGE, TITLED, VIOLET, Chart, axis, bars, chart, lines

if TYPE_CHECKING:
    from serving.learning.drift import Finding

RED, GREY = "#ef4444", "#64748b"
STATUSES = {"2": BLUE, "3": GREY, "4": ORANGE, "5": RED}  # by the first digit
VERDICTS = {"sure": BLUE, "unsure": ORANGE, "rejected": VIOLET, "blank": GREEN}
PERCENTILES = {"p50": (0.5, BLUE), "p95": (0.95, ORANGE), "p99": (0.99, RED)}
SMALL: dict[str, Any] = TITLED | {"height": 280, "margin": TITLED["margin"] | {"t": 88}}  # a legend of two lines
CATEGORY = {"type": "category"}


def requests(minutes: Sequence[Minute]) -> Chart:
    """Requests a minute, by status."""
    times = [_time(minute.start) for minute in minutes]
    statuses = sorted({status for minute in minutes for status in minute.statuses})
    traces = [
        bars(times, [minute.statuses[status] for minute in minutes], status, STATUSES.get(status[:1], GREY))
        for status in statuses
    ]
    return _over_time(traces, times, axis("requests", rangemode="tozero"), "No requests in the last hour.")


def latencies(minutes: Sequence[Minute]) -> Chart:
    """Percentiles of the latency by minute."""
    times = [_time(minute.start) for minute in minutes]
    answered = any(minute.latencies for minute in minutes)
    traces = [
        lines(times, [minute.percentile(share) for minute in minutes], name, colour, mode="lines+markers")
        for name, (share, colour) in PERCENTILES.items()
    ]
    y = axis("ms", type="log" if answered else "linear")
    return _over_time(traces if answered else [], times, y, "No answers in the last hour.")


def verdicts(hourly: Mapping[tuple[float, str], int]) -> Chart:
    """Answers of the last day by the hour, by verdict."""
    hours = sorted({hour for hour, _ in hourly})
    traces = [
        bars([_time(hour) for hour in hours], [hourly.get((hour, name), 0) for hour in hours], name, colour)
        for name, colour in VERDICTS.items()
        if any(verdict == name for _, verdict in hourly)
    ]
    return _over_time(traces, [], axis("answers"), "No answers in the last day.")


def labels(class_names: Sequence[str], answered: Mapping[str, int], reference: Sequence[int]) -> Chart:
    """How often each class was answered in the last day, and how often it is in the model's own data."""
    total = sum(answered.values())
    traces = []
    if total:
        traces += [_shares(class_names, reference, "the model's data", GREY)] if sum(reference) else []
        traces.append(_shares(class_names, [answered.get(name, 0) for name in class_names], "last day", BLUE))
    note = "" if total else "No answers in the last day."
    return chart(traces, axis("class", **CATEGORY), axis("share, %"), **SMALL | {"barmode": "group"} | _note(note))


def drift(findings: "Sequence[Finding]") -> Chart:
    """How far each feature has moved, and from where on it counts."""
    names, effects = [finding.measure for finding in findings], [finding.effect for finding in findings]
    moved = bars(names, effects, "moved by", BLUE)
    moved["marker"] = {"color": [ORANGE if finding.drifted else BLUE for finding in findings]}
    marker = {"symbol": "line-ew-open", "size": 44, "line": {"width": 3}, "color": RED}
    least = lines(names, [finding.least for finding in findings], "drift from", RED, mode="markers", marker=marker)
    note = "" if findings else "Too few answers to compare."
    shown = [moved, least] if findings else []
    return chart(shown, axis("", **CATEGORY), axis("effect", rangemode="tozero"), **SMALL | _note(note))


def _shares(class_names: Sequence[str], counts: Sequence[int], name: str, colour: str) -> dict[str, Any]:
    total = max(sum(counts), 1)
    return bars(class_names, [round(100 * count / total, 2) for count in counts], name, colour)


def _over_time(traces: Sequence[dict[str, Any]], times: Sequence[str], y: dict[str, Any], empty: str) -> Chart:
    x = axis("UTC", type="date", **({"range": [times[0], times[-1]]} if times else {}))
    return chart(traces, x, y, **SMALL | {"barmode": "stack", "showlegend": True} | _note("" if traces else empty))


def _note(text: str) -> dict[str, Any]:
    """Layout that says in words why there is nothing to see, in place of empty axes."""
    if not text:
        return {}
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    hidden = {"visible": False}
    return {
        "height": 120,
        "annotations": [{"text": text, "font": {"color": GREY}, **place}],
        "xaxis": hidden,
        "yaxis": hidden,
    }


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
