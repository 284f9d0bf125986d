"""The experiments from the command line: `python -m experiments --help`."""

import argparse
import contextlib
import dataclasses
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from experiments.data import datasets
from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.inference import bundle
from experiments.inference.bundle import BundleError
from experiments.insights.figures import InsightsError
from experiments.insights.run_comparison import curves_of_bundle, print_comparison
from experiments.registry import production
from experiments.registry.store import RegistryError, TrackingStore
from experiments.training.config import RunConfig, UnknownRunError
from settings import ROOT, Settings, SettingsError, load, warn_of_former_names

# Functions import what needs TensorFlow or Matplotlib, which take seconds.


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, the command line's or `words`. Returns the exit status: 0 done, 1 failed, 130 interrupted."""
    arguments = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = load()
        warn_of_former_names()
        arguments.command(arguments, settings)
        return 0
    except KeyboardInterrupt:
        print("\nInterrupted. The run that was going on is marked KILLED; finished ones are kept.", file=sys.stderr)
        return 130
    except (BundleError, DatasetError, InsightsError, RegistryError, SettingsError, UnknownRunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Run the table, and print it with the gate's decision about the best run."""
    with _tensorflow_silenced():
        from experiments.runs import experiment

        configs = _configs(arguments)
    dataset = datasets.load(arguments.dataset, settings.data_dir)
    store = TrackingStore.of(settings)
    result = experiment.run_table(configs, dataset, store, settings.models_dir / arguments.dataset)
    title = f"{dataset.spec.name}: best on validation is {result.best.name} (★)"
    print_comparison(Console(), result.runs, title, result.best.run_id)
    verb = "is in Production" if result.decision.promote else "stays out of Production"
    print(f"{dataset.spec.registered_model} version {result.version} {verb}: {result.decision.reason}.")


def compare(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print every run of the store."""
    runs = TrackingStore.of(settings).runs(arguments.dataset)
    if runs:
        print_comparison(Console(), runs, f"{arguments.dataset}: {len(runs)} runs")
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

    exports = bundle.exports_of(settings.artifact_dir, arguments.dataset)
    model = bundle.read_current(exports) or bundle.read(settings.models_dir / arguments.dataset)
    sources = {"generated": drawings.generate(arguments.count, arguments.seed)}
    if settings.drawn_strokes:
        real = drawings.read_strokes(settings.drawn_strokes)
        if arguments.writers != "all":
            real = drawings.half_of_writers(real, odd=arguments.writers == "odd")
        sources["real"] = drawings.sample(real, arguments.count, arguments.seed)
    else:
        print("DRAWN_STROKES names no file of real people's strokes: generated drawings alone.")
    drawings_report.report(model, sources, arguments.seed, settings.reports_dir, Console())
    drawings_report.report_scribbles(model, arguments.count, arguments.seed, Console())
    if settings.drawn_letters:
        letters = drawings.read_strokes(settings.drawn_letters)
        drawings_report.report_letters(model, letters, arguments.seed, Console())


def insights(arguments: argparse.Namespace, settings: Settings) -> None:
    """Compute the figures that explain a model; those of the table get theirs when they are trained."""
    with _tensorflow_silenced():
        from experiments.runs import measure

    model = bundle.read(arguments.bundle or settings.models_dir / arguments.dataset)
    curves = curves_of_bundle(TrackingStore.of(settings), model)
    measure.explain_bundle(model, datasets.load(model.dataset, settings.data_dir), curves)
    print(f"The figures are in {model.folder}.")


def report(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write the report of the whole project and log it to MLflow."""
    from experiments.insights import report as report_files

    store = TrackingStore.of(settings)
    links = {
        "Code": settings.repository_url,
        "Container image": settings.image_url,
        "Video": settings.video_url,
        "Public page": settings.deployment_url,
    }
    results, pictures = ROOT / "benchmarks" / "results", ROOT / "docs" / "screenshots"
    sources = report_files.gather(store, settings.models_dir, settings.artifact_dir, results, pictures, links)
    files = report_files.write(sources, arguments.out or ROOT / "docs")
    run_id = report_files.log(store, files)
    print(f"Written: {', '.join(map(str, files))}. MLflow run {run_id} keeps both.")


def model_card(arguments: argparse.Namespace, settings: Settings) -> None:
    """Write the model card of the shipped models."""
    from experiments.insights import model_card as cards

    path = arguments.out or ROOT / "docs" / "model-card.md"
    path.write_text(cards.build(settings.models_dir))
    print(f"Written: {path}.")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    rows = argparse.ArgumentParser(add_help=False)
    rows.add_argument("--runs", help="only these rows of the table, separated by commas: baseline,architecture")
    rows.add_argument("--epochs", type=_at_least_one, help="number of epochs instead of the table's")
    rows.add_argument("--seed", type=int, help="seed instead of the table's")
    rows.add_argument(
        "--recipe", help="other runs instead of the table's: best, which makes the shipped model, or others"
    )
    parser = argparse.ArgumentParser(
        prog="python -m experiments", description=__doc__, parents=[shared, rows], allow_abbrev=False
    )
    parser.set_defaults(command=run)
    commands = parser.add_subparsers(title="commands", metavar="")
    commands.add_parser("run", parents=[shared, rows], help="run the three experiments (default)")
    for command, help_text in (
        (compare, "print the runs of the store"),
        (promote, "put a version into Production"),
        (rollback, "put the previous version back"),
        (drawn, "measure how well drawings are read"),
        (insights, "make the figures that explain a model"),
        (report, "write the report of the whole project, as a page and as a Word file"),
        (model_card, "write the model card of the shipped models"),
    ):
        sub = commands.add_parser(command.__name__.replace("_", "-"), parents=[shared], help=help_text)
        sub.set_defaults(command=command)
        if command is promote:
            sub.add_argument("version", metavar="VERSION", help="number of the version")
            sub.add_argument("--reason", default="", help="why; needed for one that has not passed the gate")
        if command is report:
            sub.add_argument("--out", type=Path, help="folder to write it to (default: docs)")
        if command is model_card:
            sub.add_argument("--out", type=Path, help="file to write it to (default: docs/model-card.md)")
        if command is insights:
            sub.add_argument("--bundle", type=Path, help="folder of the model (default: the shipped one)")
        if command is drawn:
            sub.add_argument("--count", type=_at_least_one, default=2000, help="drawings a source (default: 2000)")
            sub.add_argument("--seed", type=int, default=0, help="of their choice and places (default: 0)")
            sub.add_argument("--writers", choices=("all", "even", "odd"), default="all", help="of real strokes")
    return parser


def _configs(arguments: argparse.Namespace) -> list[RunConfig]:
    """Select rows of the table, or recipes, and override their epochs and seed. Raises UnknownRunError."""
    from experiments.runs import table as runs

    table = {config.name: config for config in runs.table(arguments.dataset)}
    if arguments.recipe:
        table = {name: runs.recipe(arguments.dataset, name) for name in arguments.recipe.split(",")}
    names = arguments.runs.split(",") if arguments.runs else list(table)
    if unknown := set(names) - set(table):
        raise UnknownRunError(f"There is no run {', '.join(sorted(unknown))}. The table has: {', '.join(table)}.")
    changes = {k: getattr(arguments, k) for k in ("epochs", "seed") if getattr(arguments, k) is not None}
    return [dataclasses.replace(table[name], **changes) for name in names]


@contextlib.contextmanager
def _tensorflow_silenced() -> Iterator[None]:
    """Silence TensorFlow's import, which prints to the file descriptor before it reads any setting, and its later
    warnings between the progress bars, that functions are traced anew for each new model."""
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
    """End on SIGTERM as on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
