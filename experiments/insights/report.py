"""The report of the whole project: what was tried, what came of it, why this model, where it fails."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle, BundleError
from experiments.insights import data_sentences as data
from experiments.insights import figures as insights
from experiments.insights import model_sentences as model
from experiments.insights import plots as figures
from experiments.insights import run_comparison
from experiments.insights.document import Heading, Paragraph, Part, Picture, Table, as_docx, as_html
from experiments.insights.figures import Insights, InsightsError
from experiments.insights.plots import confusion_matrix
from experiments.insights.run_comparison import COSTS, METRICS, RunComparison, RunRow
from experiments.registry.store import TrackingStore

BENCHMARKS = {"make bench": "peers.md", "make bench-replicas": "replicas.md"}  # results by the command that writes them
EXPERIMENT, NAME = "reports", "report"
TITLE = "From a drawing to an answer: the report"
LATEST = 10  # runs whose reasons are given in full; the tables have them all
SCALARS = ("accuracy", "precision", "recall", "f1", "roc_auc", "top2_accuracy", "log_loss", "calibration_error")


METHOD = (
    "Each run trains on the training split alone, is chosen on validation and, where people draw the data set, on "
    "generated drawings that no model was trained on, and reports the official test set once. Probabilities are "
    "calibrated on validation. The best run becomes a version of the registry and takes Production only if it is worse "
    "in nothing it is chosen on. Every figure here comes of the MLflow run or the command that is named beside it."
)


@dataclass(frozen=True)
class Subject:
    """One data set: the model in Production, the runs, and the figures that explain the model, if it has any."""

    bundle: Bundle
    ledger: RunComparison
    insights: Insights | None


@dataclass(frozen=True)
class Sources:
    """Everything the report is made of. benchmarks: Markdown by the command that wrote it; screenshots: PNGs by
    caption; links: addresses by name, empty where there is none."""

    subjects: Sequence[Subject]
    benchmarks: Mapping[str, str]
    screenshots: Mapping[str, bytes]
    links: Mapping[str, str]


def build(sources: Sources) -> list[Part]:
    """The report's parts, in the reader's order."""
    parts: list[Part] = [Heading("Summary"), *_summary(sources)]
    parts += [Heading("Method"), Paragraph(METHOD)]
    for subject in sources.subjects:
        parts += _subject(subject)
    if sources.benchmarks:
        parts += [Heading("Under load"), *_benchmarks(sources.benchmarks)]
    if sources.screenshots:
        parts += [Heading("Screenshots"), *(Picture(png, caption) for caption, png in sources.screenshots.items())]
    return [*parts, Heading("Limits"), *_limits(sources.subjects)]


def _summary(sources: Sources) -> Iterator[Part]:
    for subject in sources.subjects:
        bundle, measured = subject.bundle, subject.bundle.metrics
        told = [
            f"{100 * measured['test_accuracy']:.2f} % on the official test set" if "test_accuracy" in measured else ""
        ]
        told += [
            f"{100 * measured['drawn_accuracy']:.2f} % on generated drawings" if "drawn_accuracy" in measured else ""
        ]
        version = f"version {bundle.version}, " if bundle.version else ""
        figures_ = ", ".join(filter(None, told)) or "not measured yet"
        yield Paragraph(
            f"{bundle.dataset}: {version}{figures_} (MLflow run {bundle.run_id}, {bundle.trained_at[:10]})."
        )
        yield Paragraph(run_comparison.summary(subject.ledger))
    for name, address in sources.links.items():
        if address:
            yield Paragraph(f"{name}:", address)


def _subject(subject: Subject) -> Iterator[Part]:
    name = subject.bundle.dataset.upper()
    yield Heading(f"{name}: data")
    yield from _data(subject)
    yield Heading(f"{name}: runs")
    retrained = [entry for entry in subject.ledger.entries if entry.run.tags.get("retrain")]
    yield from _runs([entry for entry in subject.ledger.entries if entry not in retrained])
    if retrained:
        yield Heading(f"{name}: retrainings from corrections")
        yield from _runs(retrained)
    if subject.insights:
        yield Heading(f"{name}: the model in Production")
        yield from _model(subject.insights)
    yield Heading("Metrics", 3)
    rows = [(f"test_{each}", subject.bundle.metrics.get(f"test_{each}")) for each in SCALARS]
    yield Table(("metric", "value"), tuple((each, f"{value:.5f}") for each, value in rows if value is not None))


def _data(subject: Subject) -> Iterator[Part]:
    yield Paragraph(f"SHA-256 of the data: {subject.bundle.data_digest}.")
    if subject.insights is None:
        return
    for told in (data.distribution, data.averages, data.pixels):
        yield Paragraph(told(subject.insights))
    yield Picture(figures.png(figures.classes(subject.insights)), "Classes by split; precision, recall and F1 by class")


def _runs(entries: Sequence[RunRow]) -> Iterator[Part]:
    if not entries:
        yield Paragraph("No runs yet. `python -m experiments` makes them.")
        return
    for table in (METRICS, COSTS):
        names = list(table)
        rows = tuple(
            (f"{entry.name}{' ★' if entry.chosen else ''}", *run_comparison.cells(entry, names)) for entry in entries
        )
        yield Table(("run", *table.values()), rows)
    yield Paragraph("★ is in Production. Figures are those logged in each MLflow run, named by its id below.")
    if any(entry.curves for entry in entries):
        yield Picture(figures.png(figures.runs(entries)), "Training curves, the run in Production thick")
    if len(entries) > LATEST:
        yield Paragraph(f"The latest {LATEST} of {len(entries)} runs:")
    before: RunRow | None = None
    for entry in entries[-LATEST:]:
        yield Heading(f"{entry.name}: {entry.run.reason.rstrip('.')}", 3)
        settings = run_comparison.settings_of(entry) or "no parameters logged"
        yield Paragraph(f"{settings[0].upper()}{settings[1:]}. {_change(before, entry)} MLflow run {entry.run.run_id}.")
        before = entry


def _change(before: RunRow | None, entry: RunRow) -> str:
    """What became of a run against the one before it."""
    name = "validation_accuracy"
    if name not in entry.run.metrics:
        return f"It ended {entry.run.status.lower()} and measured nothing."
    value = 100 * entry.run.metrics[name]
    if before is None or name not in before.run.metrics:
        return f"{value:.2f} % on validation."
    return f"{value:.2f} % on validation, {value - 100 * before.run.metrics[name]:+.2f} points against {before.name}."


def _model(insights: Insights) -> Iterator[Part]:
    matrix = confusion_matrix("Official test set", insights.matrix, insights.class_names)
    yield Paragraph(f"{model.confusion(insights)} {model.per_class(insights)} {model.worst(insights)}")
    yield Picture(figures.png(matrix), "Confusion matrix")
    yield Paragraph(f"{model.roc(insights)} {model.reliability(insights)} {model.confidence(insights)}")
    yield Picture(figures.png(figures.trust(insights)), "Reliability; confidence of right and wrong answers")
    yield Paragraph(model.drawings(insights))
    if insights.drawings:
        yield Picture(figures.png(figures.drawings(insights)), "Drawings by size, brush and turn, with 95 % intervals")
    yield Paragraph(model.curves(insights))
    yield Paragraph(model.embedding(insights))
    yield Picture(figures.png(figures.embedding(insights)), "Test images by what the model finds alike (t-SNE)")


def _benchmarks(benchmarks: Mapping[str, str]) -> Iterator[Part]:
    for command, text in benchmarks.items():
        lines = [line for line in text.splitlines() if line.strip()]
        rows = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines if line.startswith("|")]
        yield Heading(command, 3)
        yield Paragraph(" ".join(line for line in lines if not line.startswith("|")))
        width = max(map(len, rows), default=0)
        if rows:
            filled = [("",) * (width - len(row)) + row for row in rows if not set("".join(row)) <= set("-: ")]
            yield Table(filled[0], tuple(filled[1:]))


def _limits(subjects: Sequence[Subject]) -> Iterator[Part]:
    for subject in subjects:
        found, thresholds = subject.insights, subject.bundle.thresholds
        name, sure = subject.bundle.dataset.upper(), 100 * thresholds.sure
        yield Paragraph(
            f"{name}: an answer is called sure from a confidence of {sure:.1f} % up."
            + (f" Wrong answers with more than 95 %: {found.wrong[-1]} of {sum(found.wrong)}." if found else "")
        )
    yield Paragraph(
        "Generated drawings stand for people's; how real people's are read is measured where DRAWN_STROKES names a "
        "file (`python -m experiments drawn`). Figures under load hold for the cores they name, load generator "
        "included. Published test labels are taken as they are, known errors too."
    )


def gather(
    store: TrackingStore, models_dir: Path, artifact_dir: Path, results: Path, pictures: Path, links: Mapping[str, str]
) -> Sources:
    """Of every data set that has a model; what is not there is left out. Raises BundleError without any model."""
    subjects = list(_subjects(store, models_dir, artifact_dir))
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
    """report.html and report.docx in this folder."""
    parts = build(sources)
    folder.mkdir(parents=True, exist_ok=True)
    page, document = folder / f"{NAME}.html", folder / f"{NAME}.docx"
    page.write_text(as_html(TITLE, parts))
    document.write_bytes(as_docx(TITLE, parts))
    return [page, document]


def log(store: TrackingStore, files: Sequence[Path]) -> str:
    """Keeps the files as artifacts of a run of their own. Returns its id."""
    with store.run(EXPERIMENT, NAME, "The report of the whole project.", {}, {}) as run, store.translate_errors():
        for path in files:
            store.client.log_artifact(run.run_id, str(path))
    return run.run_id


def _subjects(store: TrackingStore, models_dir: Path, artifact_dir: Path) -> Iterator[Subject]:
    for spec in SPECS.values():
        exported = bundles.read_current(bundles.exports_of(artifact_dir, spec.name))
        if exported is None and not (models_dir / spec.name / bundles.MANIFEST).exists():
            continue
        bundle = exported or bundles.read(models_dir / spec.name)
        found = run_comparison.read(store, spec)
        yield Subject(bundle, found if found.entries else run_comparison.from_bundle(bundle), _insights(bundle))


def _insights(bundle: Bundle) -> insights.Insights | None:
    try:
        return insights.read(bundle)
    except InsightsError:
        return None
