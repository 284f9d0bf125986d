"""What the report says of one data set: its data, the runs, the model in Production."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.figure import Figure

from experiments.inference.bundle import Bundle
from experiments.insights import data_sentences, model_sentences, plots, run_comparison
from experiments.insights.document import PAGE_WIDTH, Heading, Paragraph, Part, Picture, Table
from experiments.insights.figures import Insights
from experiments.insights.run_comparison import RunComparison
from experiments.registry.run_log import RunSummary

LATEST = 10  # runs whose reasons are given; the table of figures lists them all
COMPARED = (
    "validation_accuracy",
    "test_accuracy",
    "drawn_accuracy",
    "test_log_loss",
    "training_seconds",
    "parameters",
    "litert_milliseconds",
)
DPI = 200  # in print


@dataclass(frozen=True)
class Subject:
    """One data set: the model in Production, the runs, and the figures that explain the model, if it has any."""

    bundle: Bundle
    comparison: RunComparison
    insights: Insights | None


def describe(subject: Subject) -> Iterator[Part]:
    """The parts of one data set, in the reader's order."""
    insights, name = subject.insights, subject.bundle.dataset.upper()
    yield Heading(f"{name}: what was tried")
    retrained = [run for run in subject.comparison.runs if run.tags.get("retrain")]
    yield from _runs([run for run in subject.comparison.runs if run not in retrained])
    if retrained:
        yield Heading(f"{name}: retrainings from corrections", 3)
        yield from _runs(retrained)
    if insights:
        yield Heading(f"{name}: the data")
        yield _paragraph(insights, data_sentences.distribution, data_sentences.averages, data_sentences.pixels)
        yield _picture(plots.classes(insights), "Left: classes by split. Right: precision, recall and F1 by class", 2.4)
        yield Heading(f"{name}: the model in Production")
        yield from _model(insights)
    yield Paragraph(f"SHA-256 of the data: {subject.bundle.data_digest}. MLflow run {subject.bundle.run_id}.")


def _runs(runs: Sequence[RunSummary]) -> Iterator[Part]:
    if not runs:
        yield Paragraph("No runs yet. `python -m experiments` makes them.")
        return
    if len(runs) > LATEST:
        yield Paragraph(f"The latest {LATEST} of {len(runs)} runs, and why:")
    rows = [(run.title, run.reason, run_comparison.settings_of(run) or "–") for run in runs[-LATEST:]]
    yield Table(("run", "why", "settings"), tuple(rows))
    figures = ((run_comparison.marked_title(run), *run_comparison.cells(run, COMPARED)) for run in runs)
    titles = ("validation, %", "test, %", *(run_comparison.TITLES[name] for name in COMPARED[2:]))
    yield Table(("run", *titles), tuple(figures))
    yield Paragraph(f"★ is in Production. {' '.join(_changes(runs[-LATEST:]))}".strip())
    if any(run.curves for run in runs):
        yield _picture(plots.runs(runs), "Training by epoch; the run in Production is thick, training is dotted", 2.5)


def _changes(runs: Sequence[RunSummary]) -> Iterator[str]:
    """What each run changed against the one before it, on validation."""
    name = "validation_accuracy"
    for previous, run in pairwise(runs):
        if name not in run.metrics:
            yield f"{run.title} ended {run.status.lower()} and measured nothing."
        elif name in previous.metrics:
            points = 100 * (run.metrics[name] - previous.metrics[name])
            yield f"{run.title}: {points:+.2f} points on validation against {previous.title}."


def _model(insights: Insights) -> Iterator[Part]:
    yield _paragraph(insights, model_sentences.confusion, model_sentences.per_class, model_sentences.worst)
    matrix = plots.confusion_matrix("Official test set", insights.matrix, insights.class_names)
    yield _picture(matrix, "What is taken for what; the colour is the share of mistakes in the true class", 3.5, 4.2)
    yield _paragraph(insights, model_sentences.reliability, model_sentences.confidence)
    yield _picture(
        plots.trust(insights), "Left: how far a confidence can be trusted. Right: confidence of answers", 2.6
    )
    if insights.drawings:
        yield _paragraph(insights, model_sentences.drawings)
        yield _picture(plots.drawings(insights), "Drawings by size, brush and turn, with 95 % intervals", 2.1)
    if insights.refusal:
        yield _paragraph(insights, model_sentences.refusal)
        yield _picture(plots.refusal(insights.refusal), "Digits and others rejected, at every threshold", 2.4, 4.6)
    yield _paragraph(insights, model_sentences.curves, model_sentences.embedding)


def _picture(figure: Figure, caption: str, height: float, width: float = PAGE_WIDTH) -> Picture:
    """A figure drawn in the size in which it is printed, in inches, so that its text is as large as it says."""
    figure.set_size_inches(width, height)
    return Picture(plots.png(figure, DPI), caption, width)


def _paragraph(insights: Insights, *sentences: Callable[[Insights], str]) -> Paragraph:
    return Paragraph(" ".join(sentence(insights) for sentence in sentences))
