"""The commands of `python -m experiments`: each prints what it did or measured."""

import argparse
import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console

from experiments.data import datasets
from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle
from experiments.insights import model_card as model_cards
from experiments.insights import run_comparison
from experiments.registry import production, upkeep
from experiments.registry.store import TrackingStore
from experiments.training.config import RunConfig, UnknownRunError
from experiments.training.tensorflow_options import set_tensorflow_options
from settings import ROOT, Settings, sqlite_url

if TYPE_CHECKING:
    from experiments.runs.experiment import TableResult

# Commands import Keras, Matplotlib and OpenCV themselves, which take seconds.


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Run the rows of the table, compare them, and say which is in Production and why."""
    with _tensorflow_silenced():
        from experiments.runs import experiment

        configs = _selected_configs(arguments)
    dataset = datasets.load(arguments.dataset, settings.data_dir)
    shipped = settings.models_dir / arguments.dataset
    result = experiment.run_table(configs, dataset, TrackingStore.of(settings), shipped, fresh=arguments.fresh)
    _print_result(dataset, result)


def sweep(arguments: argparse.Namespace, settings: Settings) -> None:
    """Take part in the sweep of a data set, and say what its best choice is worth."""
    with _tensorflow_silenced():
        from experiments.runs import sweep as sweeps
        from experiments.runs import table as tables

        search = tables.search(arguments.dataset)
    dataset = datasets.load(arguments.dataset, settings.data_dir)
    url = settings.sweep_database_url or sqlite_url(settings.artifact_dir / "sweeps.db")
    settings.artifact_dir.mkdir(parents=True, exist_ok=True)
    shipped, store = settings.models_dir / arguments.dataset, TrackingStore.of(settings)
    result = sweeps.sweep(search, dataset, store, shipped, url, arguments.trials, arguments.timeout)
    if result is None:
        print("The time is over while other workers are still at it; the last of them trains the best choice in full.")
    else:
        _print_result(dataset, result)


def compare(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print every run of the store."""
    if runs := TrackingStore.of(settings).runs(arguments.dataset):
        run_comparison.print_comparison(Console(), runs, f"{arguments.dataset}: {len(runs)} runs")
    else:
        print("The store has no runs yet. `python -m experiments` makes them.")


def links(_: argparse.Namespace, settings: Settings) -> None:
    """Print the addresses of MLflow's page that list and compare the runs of each data set."""
    from experiments.registry import links as addresses
    from experiments.runs.table import NAMES

    store = TrackingStore.of(settings)
    page = addresses.page_address(store)
    print(f"MLflow's page: {page}")
    for spec in SPECS.values():
        runs = addresses.experiment(store, spec, page)
        compared = addresses.comparison(store, spec, NAMES, page)
        missing = f"none yet. `python -m experiments --dataset {spec.name}` makes them."
        print(f"{spec.name}, runs: {runs or missing}")
        if compared:
            print(f"{spec.name}, side by side: {compared}")


def promote(arguments: argparse.Namespace, settings: Settings) -> None:
    """Put a version into Production by hand."""
    spec = SPECS[arguments.dataset]
    production.promote(TrackingStore.of(settings), spec, arguments.version, arguments.reason)
    print(f"{spec.registered_model} version {arguments.version} is in Production.")


def rollback(arguments: argparse.Namespace, settings: Settings) -> None:
    """Put the version before the present one back into Production."""
    spec = SPECS[arguments.dataset]
    restored = production.rollback(TrackingStore.of(settings), spec, "rolled back by hand")
    print(f"{spec.registered_model} version {restored.version} is in Production again.")


def upgrade(arguments: argparse.Namespace, settings: Settings) -> None:
    """Make MLflow models of all versions of the registry; the shipped model is the first one of an empty one."""
    spec, store = SPECS[arguments.dataset], TrackingStore.of(settings)
    upkeep.bring_up_to_date(store, spec, settings.models_dir / spec.name, print)
    print(f"The registry of {spec.registered_model} is up to date.")


def drawn(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print how well the Production model reads drawings; real people's too where DRAWN_STROKES names a file."""
    from experiments.evaluation import drawings
    from experiments.insights import drawings_report

    seed, console, bundle = arguments.seed, Console(), _bundle_in_production(arguments, settings)
    sources = {"generated": drawings.generate(arguments.count, seed)}
    if settings.drawn_strokes:
        sources["real"] = drawings.choose(settings.drawn_strokes, arguments.writers, arguments.count, seed)
    else:
        print("DRAWN_STROKES names no file of real people's strokes, so only generated drawings are read.")
    letters = drawings.read_strokes(settings.drawn_letters) if settings.drawn_letters else None
    folder = settings.reports_dir
    usual = drawings_report.report(bundle, sources, seed, folder, console)
    drawings_report.report_rejections(bundle, usual, letters, arguments.count, seed, folder, console)


def photographed(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print how well the Production model reads photos and scans of digits, by condition: of real people's digits where
    DRAWN_STROKES names a file."""
    from experiments.evaluation import drawings
    from experiments.evaluation.photographed import conditions, reading
    from experiments.insights import photographed_report

    count, seed = arguments.count, arguments.seed
    if settings.drawn_strokes and not arguments.generated:
        digits = drawings.choose(settings.drawn_strokes, arguments.writers, count, seed)
    else:
        digits = drawings.generate(count, seed)
    names = conditions.choose(arguments.only)
    readings = reading.read(digits, _bundle_in_production(arguments, settings), names, seed)
    folder = settings.reports_dir / "photographed"
    photographed_report.save_mistakes(readings, digits, seed, folder)
    print(f"{photographed_report.table(readings)}\n\nThe worst mistakes are in {folder}.")


def numbers(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print how well the Production model reads numbers and pages, by condition: of real people's digits and letters
    where DRAWN_STROKES and DRAWN_LETTERS name files."""
    from experiments.evaluation.strings import conditions, reading
    from experiments.insights import numbers_report

    strokes, letters = settings.drawn_strokes, settings.drawn_letters
    if arguments.generated:
        strokes = letters = None
    source = reading.Source(strokes, arguments.writers, letters, arguments.seed)
    names = conditions.choose(arguments.only)
    readings = reading.read(source, _bundle_in_production(arguments, settings), names, arguments.count)
    folder = settings.reports_dir / "numbers"
    numbers_report.save_mistakes(readings, source, folder)
    print(numbers_report.table(readings))
    print(f"\n{numbers_report.summary(readings)}\nThe worst mistakes are in {folder}.")


def insights(arguments: argparse.Namespace, settings: Settings) -> None:
    """Measure the figures that explain a model; a run of the table measures its own."""
    with _tensorflow_silenced():
        from experiments.runs import measure

    bundle = bundles.read(arguments.bundle or settings.models_dir / arguments.dataset)
    curves = run_comparison.curves_of_bundle(TrackingStore.of(settings), bundle)
    measure.explain_bundle(bundle, datasets.load(bundle.dataset, settings.data_dir), curves)
    print(f"The figures are in {bundle.folder}.")


def recalibrate(arguments: argparse.Namespace, settings: Settings) -> None:
    """Fit the thresholds of a model's verdicts anew, without training it."""
    with _tensorflow_silenced():
        from experiments.runs import recalibrate as recalibrating

    bundle = bundles.read(arguments.bundle) if arguments.bundle else _bundle_in_production(arguments, settings)
    print(f"{bundle.folder}: {recalibrating.describe(bundle.thresholds)}")
    renewed = recalibrating.recalibrate(bundle, datasets.load(bundle.dataset, settings.data_dir))
    print(
        f"{renewed.folder}: {recalibrating.describe(renewed.thresholds)}. A page that runs takes them at its restart."
    )


def report(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write the report of the whole project and log it to MLflow."""
    from experiments.insights import report as reports

    store = TrackingStore.of(settings)
    links = {
        "Code": settings.repository_url,
        "Container image": settings.image_url,
        "Video": settings.video_url,
        "Public page": settings.deployment_url,
    }
    results, documents = ROOT / "benchmarks" / "results", ROOT / "docs"
    sources = reports.gather(store, settings.models_dir, results, documents, links)
    files = reports.write(sources, arguments.out or ROOT / "docs")
    print(f"Written: {', '.join(map(str, files))}. MLflow run {reports.log(store, files)} keeps both.")


def model_card(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write the model card of the shipped models."""
    path = arguments.out or ROOT / "docs" / "model-card.md"
    path.write_text(model_cards.build(settings.models_dir))
    print(f"Written: {path}.")


def _print_result(dataset: Dataset, result: "TableResult") -> None:
    title = f"{dataset.spec.name}: best on validation is {result.best.name} (★)"
    run_comparison.print_comparison(Console(), result.runs, title, result.best.run_id)
    verb = "is in Production" if result.decision.promote else "stays out of Production"
    print(f"{dataset.spec.registered_model} version {result.version} {verb}: {result.decision.reason}.")


def _bundle_in_production(arguments: argparse.Namespace, settings: Settings) -> Bundle:
    exports = bundles.exports_of(settings.artifact_dir, arguments.dataset)
    return bundles.read_current(exports) or bundles.read(settings.models_dir / arguments.dataset)


def _selected_configs(arguments: argparse.Namespace) -> list[RunConfig]:
    """The selected rows of the table, or recipes, with the requested epochs and seed. Raises UnknownRunError."""
    from experiments.runs import table as tables

    table = {config.name: config for config in tables.table(arguments.dataset)}
    if arguments.recipe:
        table = {name: tables.recipe(arguments.dataset, name) for name in arguments.recipe.split(",")}
    names = arguments.runs.split(",") if arguments.runs else list(table)
    if unknown := set(names) - set(table):
        raise UnknownRunError(f"There is no run {', '.join(sorted(unknown))}. The table has: {', '.join(table)}.")
    changes = {k: getattr(arguments, k) for k in ("epochs", "seed") if getattr(arguments, k) is not None}
    return [dataclasses.replace(table[name], **changes) for name in names]


@contextlib.contextmanager
def _tensorflow_silenced() -> Iterator[None]:
    """Silence TensorFlow, which writes to the file descriptor itself when it is imported, before it reads its
    options, and later between the progress bars."""
    set_tensorflow_options()
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
