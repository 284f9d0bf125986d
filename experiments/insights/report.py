"""The report of the whole project: what was asked, what was tried and why, what came of it, how it is served, and what
it can't do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.insights import figures, markdown_parts, run_comparison
from experiments.insights.document import Bullets, Heading, Paragraph, Part, Picture, Table, as_docx, as_html
from experiments.insights.figures import InsightsError
from experiments.insights.report_models import Subject, describe
from experiments.registry.store import TrackingStore

BENCHMARKS = {"make bench": "peers.md", "make bench-replicas": "replicas.md"}  # results by the command that writes them
EXPERIMENT, NAME = "reports", "report"
TITLE = "From a drawing to an answer"
TEXT = Path(__file__).with_suffix(".md")
LIMITS = (
    "Generated drawings stand in for people's where no file of strokes is at hand. Figures under load hold for the "
    "cores they name, load generator included. Published test labels are used as they are, known errors included."
)
SCREENSHOTS = {  # by the file's name; others are not in the report
    "draw": "The Draw tab: a digit, its answer with confidences, and the image that the model saw",
    "insights": "The Insights tab: what the figures say, beside plots that can be asked",
    "mlflow": "Three runs side by side on MLflow's own page",
}
SCREENSHOT_WIDTH = 4.9  # inches: two and a paragraph fit a page
LOAD_COLUMNS = (
    "", "server, load generator, clients", "users", "answers a second", "p50 ms", "p95 ms", "p99 ms", "failures",
    "memory MB",
)  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Everything that the report is made from. results: Markdown with measured figures; benchmarks: Markdown by the
    command that wrote it; screenshots: PNGs by name; links: addresses by name, empty where there is none."""

    subjects: Sequence[Subject]
    results: str
    benchmarks: Mapping[str, str]
    screenshots: Mapping[str, bytes]
    links: Mapping[str, str]


def gather(store: TrackingStore, models_dir: Path, results: Path, documents: Path, links: Mapping[str, str]) -> Sources:
    """Read what there is of every data set that has a model. Raises BundleError if none has."""
    subjects = list(_subjects(store, models_dir))
    if not subjects:
        message = f"There is no model in {models_dir} to report on. Make one with `python -m experiments`."
        raise bundles.BundleError(message)
    benchmarks = {
        command: (results / name).read_text() for command, name in BENCHMARKS.items() if (results / name).exists()
    }
    measured, pictures = documents / "results.md", documents / "screenshots"
    screenshots = {path.stem: path.read_bytes() for path in sorted(pictures.glob("*.png"))}
    return Sources(subjects, measured.read_text() if measured.exists() else "", benchmarks, screenshots, links)


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
    parts = [*_told("What was asked"), Heading("What came of it"), *_summary(sources), *_told("How it was done")]
    for subject in sources.subjects:
        parts += describe(subject)
        if subject.bundle.dataset == "mnist":
            parts += _measured(sources, "What each kind of generated image brings")
            parts += _measured(sources, "Digits", ("what", "measured"), "Real people's digits, and other figures")
    parts += _screenshot(sources, "mlflow")
    parts += [*_told("How it is served"), *_screenshot(sources, "draw"), *_screenshot(sources, "insights")]
    parts += _measured(sources, "Speed", ("what", "measured"))
    for command, markdown in sources.benchmarks.items():
        parts += [Heading(f"Under load: {command}", 3), *markdown_parts.parts(markdown, LOAD_COLUMNS)]
    parts += _told("How it goes on learning")
    parts += _measured(sources, "Retraining", ("case", "accepted", "seconds", "outcome"))
    parts += [Heading("What it can't do"), Bullets(tuple(map(_doubt, sources.subjects)))]
    return [*parts, *markdown_parts.parts(markdown_parts.section(sources.results, "Limits")), Paragraph(LIMITS)]


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
    """The models in Production in a table, why they are there, and where all of it is."""
    titles = {
        "test_accuracy": "official test set",
        "validation_accuracy": "validation",
        "drawn_accuracy": "generated drawings",
        "negatives_refused": "other ink rejected",
    }
    rows = tuple(
        (
            SPECS[subject.bundle.dataset].things if subject.bundle.dataset in SPECS else subject.bundle.dataset,
            subject.bundle.version or "–",
            subject.bundle.trained_at[:10],
            *(
                f"{100 * subject.bundle.metrics[name]:.2f} %" if name in subject.bundle.metrics else "–"
                for name in titles
            ),
        )
        for subject in sources.subjects
    )
    yield Table(("in Production", "version", "trained", *titles.values()), rows)
    for subject in sources.subjects:
        summary = markdown_parts.plain(run_comparison.summary(subject.comparison))
        yield Paragraph(f"{subject.bundle.dataset.upper()}: {summary}")
    for name, address in sources.links.items():
        if address:
            yield Paragraph(f"{name}:", address)


def _told(heading: str) -> Iterator[Part]:
    """A section of the text beside this file."""
    yield Heading(heading)
    yield from markdown_parts.parts(markdown_parts.section(TEXT.read_text(), heading))


def _measured(sources: Sources, heading: str, columns: Sequence[str] = (), title: str = "") -> Iterator[Part]:
    """A section of the results."""
    if text := markdown_parts.section(sources.results, heading):
        yield Heading(title or heading, 3)
        yield from markdown_parts.parts(text, columns)


def _screenshot(sources: Sources, name: str) -> Iterator[Part]:
    if name in sources.screenshots:
        yield Picture(sources.screenshots[name], SCREENSHOTS[name], SCREENSHOT_WIDTH)


def _doubt(subject: Subject) -> str:
    insights, bundle = subject.insights, subject.bundle
    wrong = f" Wrong answers with more than 95 %: {insights.wrong[-1]} of {sum(insights.wrong)}." if insights else ""
    sure = 100 * bundle.thresholds.sure
    return f"{bundle.dataset.upper()}: an answer counts as sure from a confidence of {sure:.1f} % upwards.{wrong}"
