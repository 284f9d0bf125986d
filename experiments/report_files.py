"""Gathers what the report is made of, and writes it as a page and as a Word file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from experiments import insights, ledger, report
from experiments.data.specs import SPECS
from experiments.document import as_docx, as_html
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle, BundleError
from experiments.insights import InsightsError
from experiments.registry.store import Store
from experiments.report import Sources, Subject

BENCHMARKS = {"make bench": "peers.md", "make bench-replicas": "replicas.md"}  # results by the command that writes them
EXPERIMENT, NAME = "reports", "report"


def gather(
    store: Store, models_dir: Path, artifact_dir: Path, results: Path, pictures: Path, links: Mapping[str, str]
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
    parts = report.build(sources)
    folder.mkdir(parents=True, exist_ok=True)
    page, document = folder / f"{NAME}.html", folder / f"{NAME}.docx"
    page.write_text(as_html(report.TITLE, parts))
    document.write_bytes(as_docx(report.TITLE, parts))
    return [page, document]


def log(store: Store, files: Sequence[Path]) -> str:
    """Keeps the files as artifacts of a run of their own. Returns its id."""
    with store.run(EXPERIMENT, NAME, "The report of the whole project.", {}, {}) as run, store.worded_errors():
        for path in files:
            store.client.log_artifact(run.run_id, str(path))
    return run.run_id


def _subjects(store: Store, models_dir: Path, artifact_dir: Path) -> Iterator[Subject]:
    for spec in SPECS.values():
        exported = bundles.read_current(bundles.exports_of(artifact_dir, spec.name))
        if exported is None and not (models_dir / spec.name / bundles.MANIFEST).exists():
            continue
        bundle = exported or bundles.read(models_dir / spec.name)
        found = ledger.read(store, spec)
        yield Subject(bundle, found if found.entries else ledger.of_bundle(bundle), _insights(bundle))


def _insights(bundle: Bundle) -> insights.Insights | None:
    try:
        return insights.read(bundle)
    except InsightsError:
        return None
