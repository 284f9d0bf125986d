"""The experiments from the command line: `python -m experiments --help`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from experiments import commands
from experiments.data.archive import DatasetError
from experiments.data.specs import SPECS
from experiments.inference.bundle import BundleError
from experiments.insights.figures import InsightsError
from experiments.registry.store import RegistryError
from experiments.training.config import UnknownRunError
from redaction import Redactor, protect_output
from settings import Settings, SettingsError, load, warn_of_former_names

INTERRUPTED = (
    "Interrupted. The current run is marked KILLED, and finished ones are kept. The same command goes on from the last "
    "finished epoch."
)

Command = Callable[[argparse.Namespace, Settings], None]


def main(words: Sequence[str] | None = None) -> int:
    """Return the exit status: 0 done, 1 failed, 130 interrupted. words: instead of the command line's."""
    arguments = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        settings = load()
        protect_output(Redactor.of(settings, os.environ))
        warn_of_former_names()
        arguments.command(arguments, settings)
    except KeyboardInterrupt:
        print(f"\n{INTERRUPTED}", file=sys.stderr)
        return 130
    except (BundleError, DatasetError, InsightsError, RegistryError, SettingsError, UnknownRunError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    rows = _rows()
    parser = argparse.ArgumentParser(
        prog="python -m experiments", description=__doc__, parents=[shared, rows], allow_abbrev=False
    )
    parser.set_defaults(command=commands.run)
    subcommands = parser.add_subparsers(title="commands", metavar="")
    subcommands.add_parser("run", parents=[shared, rows], help="run the three experiments (default)")

    def add(command: Command, text: str) -> argparse.ArgumentParser:
        added = subcommands.add_parser(command.__name__.replace("_", "-"), parents=[shared], help=text)
        added.set_defaults(command=command)
        return added

    sweeping = add(commands.sweep, "search settings in many short trials; start it on any number of machines")
    sweeping.add_argument("--trials", type=_at_least_one, default=20, help="trials of all machines (default: 20)")
    sweeping.add_argument("--timeout", type=_at_least_one, help="seconds after which no trial is begun")
    add(commands.compare, "print the runs of the store")
    add(commands.links, "print the addresses of MLflow's page that list and compare the runs")
    _add_registry(add)
    _add_measuring(add)
    explaining = add(commands.insights, "measure the figures that explain a model")
    explaining.add_argument("--bundle", type=Path, help="folder of the model (default: the shipped one)")
    renewing = add(commands.recalibrate, "fit the thresholds of sure, unsure and rejected anew, without training")
    renewing.add_argument("--bundle", type=Path, help="folder of the model (default: Production's, else the shipped)")
    reporting = add(commands.report, "write the report of the whole project, as a page and as a Word file")
    reporting.add_argument("--out", type=Path, help="folder to write it to (default: docs)")
    describing = add(commands.model_card, "write the model card of the shipped models")
    describing.add_argument("--out", type=Path, help="file to write it to (default: docs/model-card.md)")
    return parser


def _add_registry(add: Callable[[Command, str], argparse.ArgumentParser]) -> None:
    """The commands that change the registry."""
    promoting = add(commands.promote, "put a version into Production")
    promoting.add_argument("version", metavar="VERSION", help="number of the version")
    promoting.add_argument("--reason", default="", help="why; needed for one that has not passed the gate")
    add(commands.rollback, "put the previous version back")
    add(commands.upgrade, "bring the registry up to date, so that MLflow can serve each version")


def _rows() -> argparse.ArgumentParser:
    """What of the table is run, and how."""
    rows = argparse.ArgumentParser(add_help=False)
    rows.add_argument("--runs", help="only these rows of the table, separated by commas: baseline,architecture")
    rows.add_argument("--epochs", type=_at_least_one, help="so many epochs instead of the table's")
    rows.add_argument("--seed", type=int, help="another seed than the table's")
    rows.add_argument("--fresh", action="store_true", help="start interrupted runs anew, not from their last epoch")
    rows.add_argument("--recipe", help="other runs than the table's: best, which makes the shipped model, or more")
    return rows


def _add_measuring(add: Callable[[Command, str], argparse.ArgumentParser]) -> None:
    """The commands that measure how digits are read."""
    drawing = add(commands.drawn, "measure how well drawings are read")
    drawing.add_argument("--count", type=_at_least_one, default=2000, help="drawings per source (default: 2000)")
    photographing = add(commands.photographed, "measure how well photos and scans are read, by condition")
    photographing.add_argument("--count", type=_at_least_one, default=500, help="digits per condition (default: 500)")
    numbering = add(commands.numbers, "measure how well numbers and pages of digits are read, by condition")
    numbering.add_argument("--count", type=_at_least_one, default=200, help="numbers per condition (default: 200)")
    for by_condition in (photographing, numbering):
        by_condition.add_argument("--generated", action="store_true", help="the project's own digits, not real strokes")
        by_condition.add_argument("--only", default="", help="only conditions whose name contains this")
    for measuring in (drawing, photographing, numbering):
        measuring.add_argument("--seed", type=int, default=0, help="of their choice and places (default: 0)")
        measuring.add_argument("--writers", choices=("all", "even", "odd"), default="all", help="of real strokes")


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _interrupt(*_: object) -> NoReturn:
    """End a stopped run like one interrupted by Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
