"""The report of the whole project: what was tried, how it turned out, why this model, where it fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle, BundleError
from experiments.insights import data_sentences, figures, model_sentences, plots, run_comparison
from experiments.insights.document import Heading, Paragraph, Part, Picture, Table, as_docx, as_html
from experiments.insights.figures import Insights, InsightsError
from experiments.insights.run_comparison import COSTS, METRICS, RunComparison
from experiments.registry.run_log import RunSummary
from experiments.registry.store import TrackingStore

BENCHMARKS = {"make bench": "peers.md", "make bench-replicas": "replicas.md"}  # results by the command that writes them
EXPERIMENT, NAME = "reports", "report"
TITLE = "From a drawing to an answer: the report"
LATEST = 10  # runs whose reasons are given in full; the tables list them all
METHOD = (
    "Each run trains on the training split alone, is chosen on validation and, where people draw the data set, on "
    "generated drawings that no model was trained on, and reports the official test set once. Probabilities are "
    "calibrated on validation. The best run becomes a version of the registry; it takes Production only if it is no "
    "worse in anything it is chosen on. Every figure comes from the MLflow run or the command named beside it."
)
LIMITS = (
    "Generated drawings stand in for people's; how well real people's are read is measured where DRAWN_STROKES names a "
    "file (`python -m experiments drawn`). Figures under load hold for the cores they name, load generator included. "
    "Published test labels are used as they are, known errors included."
)


@dataclass(frozen=True)
class Subject:
    """One data set: the model in Production, the runs, and the figures that explain the model, if it has any."""

    bundle: Bundle
    comparison: RunComparison
    insights: Insights | None


@dataclass(frozen=True)
class Sources:
    """Everything that the report is made from. benchmarks: Markdown by the command that wrote it; screenshots: PNGs by
    caption; links: addresses by name, empty where there is none."""

    subjects: Sequence[Subject]
    benchmarks: Mapping[str, str]
    screenshots: Mapping[str, bytes]
    links: Mapping[str, str]


def gather(store: TrackingStore, models_dir: Path, results: Path, pictures: Path, links: Mapping[str, str]) -> Sources:
    """Read what there is of every data set that has a model. Raises BundleError if none has."""
    subjects = list(_subjects(store, models_dir))
    if not subjects:
        raise BundleError(f"There is no model in {models_dir} to report on. Make one with `python -m experiments`.")
    benchmarks = {
        command: (results / name).read_text() for command, name in BENCHMARKS.items() if (results / name).exists()
    }
    screenshots = {
        path.stem.replace("-", " ").capitalize(): path.read_bytes() for path in sorted(pictures.glob("*.png"))
    }
    return Sources(subjects, benchmarks, screenshots, links)


def write(sources: Sources, folder: Path) -> list[Path]:
    """Write report.html and report.docx into this folder."""
    parts = build(sources)
    folder.mkdir(parents=True, exist_ok=True)
    page, document = folder / f"{NAME}.html", folder / f"{NAME}.docx"
    page.write_text(as_html(TITLE, parts))
    document.write_bytes(as_docx(TITLE, parts))
    return [page, document]


def log(store: TrackingStore, files: Sequence[Path]) -> str:
    """Keep the files as artifacts of a run of their own. Returns its id."""
    with store.run(EXPERIMENT, NAME, "The report of the whole project.", {}, {}) as run, store.translate_errors():
        for path in files:
            store.client.log_artifact(run.run_id, str(path))
    return run.run_id


def build(sources: Sources) -> list[Part]:
    """The report's parts, in the reader's order."""
    parts: list[Part] = [Heading("Summary"), *_summary(sources), Heading("Method"), Paragraph(METHOD)]
    for subject in sources.subjects:
        parts += _subject(subject)
    if sources.benchmarks:
        parts += [Heading("Under load"), *_benchmarks(sources.benchmarks)]
    if sources.screenshots:
        parts += [Heading("Screenshots"), *(Picture(png, caption) for caption, png in sources.screenshots.items())]
    return [*parts, Heading("Limits"), *map(_limits, sources.subjects), Paragraph(LIMITS)]


def _subjects(store: TrackingStore, models_dir: Path) -> Iterator[Subject]:
    for spec in SPECS.values():
        bundle = bundles.read_current(bundles.exports_of(store.artifact_dir, spec.name))
        if bundle is None and not (models_dir / spec.name / bundles.MANIFEST).exists():
            continue
        bundle = bundle or bundles.read(models_dir / spec.name)
        try:
            insights = figures.read(bundle)
        except InsightsError:
            insights = None
        yield Subject(bundle, run_comparison.compare(store, spec, bundle), insights)


def _summary(sources: Sources) -> Iterator[Part]:
    for subject in sources.subjects:
        bundle = subject.bundle
        scores = ", ".join(
            f"{100 * bundle.metrics[name]:.2f} % on {where}"
            for name, where in (("test_accuracy", "the official test set"), ("drawn_accuracy", "generated drawings"))
            if name in bundle.metrics
        )
        version = f"version {bundle.version}, " if bundle.version else ""
        yield Paragraph(
            f"{bundle.dataset}: {version}{scores or 'not measured yet'} "
            f"(MLflow run {bundle.run_id}, {bundle.trained_at[:10]})."
        )
        yield Paragraph(run_comparison.summary(subject.comparison))
    for name, address in sources.links.items():
        if address:
            yield Paragraph(f"{name}:", address)


def _subject(subject: Subject) -> Iterator[Part]:
    bundle, insights, name = subject.bundle, subject.insights, subject.bundle.dataset.upper()
    yield Heading(f"{name}: data")
    yield Paragraph(f"SHA-256 of the data: {bundle.data_digest}.")
    if insights:
        for sentences in (data_sentences.distribution, data_sentences.averages, data_sentences.pixels):
            yield _paragraph(insights, sentences)
        yield Picture(plots.png(plots.classes(insights)), "Classes by split; precision, recall and F1 by class")
    yield Heading(f"{name}: runs")
    retrained = [run for run in subject.comparison.runs if run.tags.get("retrain")]
    yield from _runs([run for run in subject.comparison.runs if run not in retrained])
    if retrained:
        yield Heading(f"{name}: retrainings from corrections")
        yield from _runs(retrained)
    if insights:
        yield Heading(f"{name}: the model in Production")
        yield from _model(insights)
    yield Heading("Metrics", 3)
    measured = (name for name in METRICS if name.startswith("test_") and name in bundle.metrics)
    yield Table(("metric", "value"), tuple((name, f"{bundle.metrics[name]:.5f}") for name in measured))


def _runs(runs: Sequence[RunSummary]) -> Iterator[Part]:
    if not runs:
        yield Paragraph("No runs yet. `python -m experiments` makes them.")
        return
    for titles in (METRICS, COSTS):
        rows = ((run_comparison.marked_title(run), *run_comparison.cells(run, tuple(titles))) for run in runs)
        yield Table(("run", *titles.values()), tuple(rows))
    yield Paragraph("★ is in Production. Figures are those logged in each MLflow run, named by its id below.")
    if any(run.curves for run in runs):
        yield Picture(plots.png(plots.runs(runs)), "Training curves, the run in Production thick")
    if len(runs) > LATEST:
        yield Paragraph(f"The latest {LATEST} of {len(runs)} runs:")
    previous: RunSummary | None = None
    for run in runs[-LATEST:]:
        yield Heading(f"{run.title}: {run.reason.rstrip('.')}", 3)
        settings = run_comparison.settings_of(run) or "no parameters logged"
        yield Paragraph(f"{settings[0].upper()}{settings[1:]}. {_change(previous, run)} MLflow run {run.run_id}.")
        previous = run


def _change(previous: RunSummary | None, run: RunSummary) -> str:
    """A run's validation accuracy, and its difference from the run before it."""
    name = "validation_accuracy"
    if name not in run.metrics:
        return f"It ended {run.status.lower()} and measured nothing."
    accuracy = f"{100 * run.metrics[name]:.2f} % on validation"
    if previous is None or name not in previous.metrics:
        return f"{accuracy}."
    return f"{accuracy}, {100 * (run.metrics[name] - previous.metrics[name]):+.2f} points against {previous.title}."


def _model(insights: Insights) -> Iterator[Part]:
    matrix = plots.confusion_matrix("Official test set", insights.matrix, insights.class_names)
    yield _paragraph(insights, model_sentences.confusion, model_sentences.per_class, model_sentences.worst)
    yield Picture(plots.png(matrix), "Confusion matrix")
    yield _paragraph(insights, model_sentences.roc, model_sentences.reliability, model_sentences.confidence)
    yield Picture(plots.png(plots.trust(insights)), "Reliability; confidence of right and wrong answers")
    yield _paragraph(insights, model_sentences.drawings)
    if insights.drawings:
        yield Picture(plots.png(plots.drawings(insights)), "Drawings by size, brush and turn, with 95 % intervals")
    if insights.refusal:
        yield _paragraph(insights, model_sentences.refusal)
        yield Picture(plots.png(plots.refusal(insights.refusal)), "Digits and others rejected, at every threshold")
    yield _paragraph(insights, model_sentences.curves)
    yield _paragraph(insights, model_sentences.embedding)
    yield Picture(plots.png(plots.embedding(insights)), "Test images by what the model finds alike (t-SNE)")


def _paragraph(insights: Insights, *sentences: Callable[[Insights], str]) -> Paragraph:
    return Paragraph(" ".join(sentence(insights) for sentence in sentences))


def _benchmarks(benchmarks: Mapping[str, str]) -> Iterator[Part]:
    """The text of each, then its Markdown table as a table of the report."""
    for command, markdown in benchmarks.items():
        lines = [line for line in markdown.splitlines() if line.strip()]
        yield Heading(command, 3)
        yield Paragraph(" ".join(line for line in lines if not line.startswith("|")))
        rows = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines if line.startswith("|")]
        if rows:
            width = max(map(len, rows))
            head, *body = (("",) * (width - len(row)) + row for row in rows if not set("".join(row)) <= set("-: "))
            yield Table(head, tuple(body))


def _limits(subject: Subject) -> Part:
    insights, bundle = subject.insights, subject.bundle
    wrong = f" Wrong answers with more than 95 %: {insights.wrong[-1]} of {sum(insights.wrong)}." if insights else ""
    return Paragraph(
        f"{bundle.dataset.upper()}: an answer counts as sure from a confidence of {100 * bundle.thresholds.sure:.1f} % "
        f"upwards.{wrong}"
    )
