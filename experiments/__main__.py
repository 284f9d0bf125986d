"""The experiments from the command line: `python -m experiments --help`."""

import argparse
import contextlib
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from experiments.data import datasets
from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import BundleError
from experiments.insights import model_card as model_cards
from experiments.insights import run_comparison
from experiments.insights.figures import InsightsError
from experiments.registry import production
from experiments.registry.store import RegistryError, TrackingStore
from experiments.training.config import RunConfig, UnknownRunError
from settings import ROOT, Settings, SettingsError, load, warn_of_former_names

# Commands import Keras, Matplotlib and OpenCV themselves, which take seconds.


def main(words: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 done, 1 failed, 130 interrupted. words: instead of the command line's."""
    arguments = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = load()
        warn_of_former_names()
        arguments.command(arguments, settings)
    except KeyboardInterrupt:
        print("\nInterrupted. The current run is marked KILLED; finished ones are kept.", file=sys.stderr)
        return 130
    except (BundleError, DatasetError, InsightsError, RegistryError, SettingsError, UnknownRunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Run the rows of the table, compare them, and say which is in Production and why."""
    with _tensorflow_silenced():
        from experiments.runs import experiment

        configs = _selected_configs(arguments)
    dataset = datasets.load(arguments.dataset, settings.data_dir)
    shipped = settings.models_dir / arguments.dataset
    result = experiment.run_table(configs, dataset, TrackingStore.of(settings), shipped)
    title = f"{dataset.spec.name}: best on validation is {result.best.name} (★)"
    run_comparison.print_comparison(Console(), result.runs, title, result.best.run_id)
    verb = "is in Production" if result.decision.promote else "stays out of Production"
    print(f"{dataset.spec.registered_model} version {result.version} {verb}: {result.decision.reason}.")


def compare(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print every run of the store."""
    if runs := TrackingStore.of(settings).runs(arguments.dataset):
        run_comparison.print_comparison(Console(), runs, f"{arguments.dataset}: {len(runs)} runs")
    else:
        print("The store has no runs yet. `python -m experiments` makes them.")


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


def drawn(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print how well the Production model reads drawings; real people's too where DRAWN_STROKES names a file."""
    from experiments.evaluation import drawings
    from experiments.insights import drawings_report

    exports, seed, console = bundles.exports_of(settings.artifact_dir, arguments.dataset), arguments.seed, Console()
    bundle = bundles.read_current(exports) or bundles.read(settings.models_dir / arguments.dataset)
    sources = {"generated": drawings.generate(arguments.count, seed)}
    if settings.drawn_strokes:
        real = drawings.read_strokes(settings.drawn_strokes)
        if arguments.writers != "all":
            real = drawings.half_of_writers(real, odd=arguments.writers == "odd")
        sources["real"] = drawings.sample(real, arguments.count, seed)
    else:
        print("DRAWN_STROKES names no file of real people's strokes, so only generated drawings are read.")
    drawings_report.report(bundle, sources, seed, settings.reports_dir, console)
    drawings_report.report_scribbles(bundle, arguments.count, seed, console)
    if settings.drawn_letters:
        drawings_report.report_letters(bundle, drawings.read_strokes(settings.drawn_letters), seed, console)


def insights(arguments: argparse.Namespace, settings: Settings) -> None:
    """Measure the figures that explain a model; a run of the table measures its own."""
    with _tensorflow_silenced():
        from experiments.runs import measure

    bundle = bundles.read(arguments.bundle or settings.models_dir / arguments.dataset)
    curves = run_comparison.curves_of_bundle(TrackingStore.of(settings), bundle)
    measure.explain_bundle(bundle, datasets.load(bundle.dataset, settings.data_dir), curves)
    print(f"The figures are in {bundle.folder}.")


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
    results, pictures = ROOT / "benchmarks" / "results", ROOT / "docs" / "screenshots"
    sources = reports.gather(store, settings.models_dir, results, pictures, links)
    files = reports.write(sources, arguments.out or ROOT / "docs")
    print(f"Written: {', '.join(map(str, files))}. MLflow run {reports.log(store, files)} keeps both.")


def model_card(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write the model card of the shipped models."""
    path = arguments.out or ROOT / "docs" / "model-card.md"
    path.write_text(model_cards.build(settings.models_dir))
    print(f"Written: {path}.")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    rows = argparse.ArgumentParser(add_help=False)
    rows.add_argument("--runs", help="only these rows of the table, separated by commas: baseline,architecture")
    rows.add_argument("--epochs", type=_at_least_one, help="so many epochs instead of the table's")
    rows.add_argument("--seed", type=int, help="another seed than the table's")
    rows.add_argument("--recipe", help="other runs than the table's: best, which makes the shipped model, or more")
    parser = argparse.ArgumentParser(
        prog="python -m experiments", description=__doc__, parents=[shared, rows], allow_abbrev=False
    )
    parser.set_defaults(command=run)
    commands = parser.add_subparsers(title="commands", metavar="")
    commands.add_parser("run", parents=[shared, rows], help="run the three experiments (default)")

    def add(command: Callable[[argparse.Namespace, Settings], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(command.__name__.replace("_", "-"), parents=[shared], help=text)
        added.set_defaults(command=command)
        return added

    add(compare, "print the runs of the store")
    promoting = add(promote, "put a version into Production")
    promoting.add_argument("version", metavar="VERSION", help="number of the version")
    promoting.add_argument("--reason", default="", help="why; needed for one that has not passed the gate")
    add(rollback, "put the previous version back")
    drawing = add(drawn, "measure how well drawings are read")
    drawing.add_argument("--count", type=_at_least_one, default=2000, help="drawings per source (default: 2000)")
    drawing.add_argument("--seed", type=int, default=0, help="of their choice and places (default: 0)")
    drawing.add_argument("--writers", choices=("all", "even", "odd"), default="all", help="of real strokes")
    explaining = add(insights, "measure the figures that explain a model")
    explaining.add_argument("--bundle", type=Path, help="folder of the model (default: the shipped one)")
    reporting = add(report, "write the report of the whole project, as a page and as a Word file")
    reporting.add_argument("--out", type=Path, help="folder to write it to (default: docs)")
    describing = add(model_card, "write the model card of the shipped models")
    describing.add_argument("--out", type=Path, help="file to write it to (default: docs/model-card.md)")
    return parser


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
    """Silence TensorFlow, which writes to the file descriptor itself when it is imported, before it reads its settings,
    and later warns between the progress bars that each new model's functions are traced again."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _interrupt(*_: object) -> NoReturn:
    """End a stopped run like one interrupted by Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
