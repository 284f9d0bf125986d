"""Maintain the online side by hand: `python -m serving retrain`, `trainer`, `replay` and `purge`."""

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

from experiments.data.specs import SPECS
from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryError
from experiments.retraining.corrections import RetrainingError
from redaction import Redactor, protect_output
from serving.core.private_files import OTHERS
from serving.learning import replay as replaying
from serving.learning import retraining_process, trainer
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter, BusyError, FullError, StoreError
from settings import Settings, SettingsError, load, warn_of_former_names

REPLAYED_ANSWERS = 100_000


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, the command line's or `words`. Returns the exit status."""
    os.umask(OTHERS)  # visitors' pictures are among what is written
    parser = _parser()
    arguments = parser.parse_args(words)
    try:
        settings = load()
        protect_output(Redactor.of(settings, os.environ))
        warn_of_former_names()
        status: int = arguments.run(arguments, settings)
        return status
    except SettingsError as error:
        parser.error(str(error))
    except (BusyError, FullError, ModelError, RegistryError, RetrainingError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


def retrain(arguments: argparse.Namespace, settings: Settings) -> int:
    """Retrain on the accepted corrections, as the button on the page does."""
    retraining_process.lower_priority()
    if status := retraining_process.run(settings, arguments.dataset, arguments.job, attempt=arguments.attempt):
        retraining_process.exit_now(status)
    return status


def serve_retrainings(_: argparse.Namespace, settings: Settings) -> int:
    """Do the retrainings that the pages ask for, until it is stopped."""
    trainer.serve(settings)
    return 0


def replay(arguments: argparse.Namespace, settings: Settings) -> int:
    """List the kept answers that a version would change."""
    bundle = replaying.bundle_of_version(settings, arguments.dataset, arguments.version)
    database = Database.of(settings)
    since, until = arguments.since.timestamp(), arguments.until and arguments.until.timestamp()
    where = AnswerFilter(dataset=arguments.dataset, since=since, until=until)
    kept = islice(History(database).iterate(where), REPLAYED_ANSWERS)
    result = replaying.replay(kept, bundle, SPECS[arguments.dataset])
    for entry, prediction in result.changes:
        time = datetime.fromtimestamp(entry.answered_at, UTC)
        was = f"{entry.label or entry.verdict} (version {entry.model_version})"
        now = f"{prediction.label or prediction.verdict} {100 * prediction.confidence:.0f} %"
        change = " ".join(f"{was} -> {now}".split("\n"))  # the rows of numbers
        print(f"{time:%Y-%m-%d %H:%M:%S}  {entry.request_id}  {change}")
    print(f"{len(result.changes)} of {result.count} answers would change with version {result.version}.")
    database.close()
    return 0


def purge(arguments: argparse.Namespace, settings: Settings) -> int:
    """Delete answers beyond an age or a number, and print how many there were."""
    days = settings.history_days if arguments.days is None else arguments.days
    rows = settings.history_rows if arguments.rows is None else arguments.rows
    database = Database.of(settings)
    print(f"{History(database).purge(max(days, 0), max(rows, 0))} answers deleted.")
    database.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    dataset = argparse.ArgumentParser(add_help=False)
    dataset.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    help_text = "retrain on the accepted corrections; the gate decides about Production"
    command = commands.add_parser("retrain", parents=[dataset], help=help_text)
    command.add_argument("--job", type=int, help="number of a retraining that a trainer has begun already")
    command.add_argument("--attempt", type=int, default=1, help="which attempt at it (default: the first)")
    command.set_defaults(run=retrain)
    command = commands.add_parser("trainer", help="do the retrainings that pages with DEMO_TRAINER=service ask for")
    command.set_defaults(run=serve_retrainings)
    command = commands.add_parser("replay", parents=[dataset], help="list the kept answers that a version would change")
    command.add_argument("--from", dest="since", type=_time, required=True, help="date or time, ISO 8601, UTC")
    command.add_argument("--until", type=_time, help="likewise (default: now)")
    command.add_argument("--version", required=True, help="number of the version in the registry")
    command.set_defaults(run=replay)
    command = commands.add_parser("purge", help="delete old answers; corrected ones stay")
    command.add_argument("--days", type=float, help="delete those that are older (default: DEMO_HISTORY_DAYS)")
    command.add_argument("--rows", type=int, help="keep so many of the newest (default: DEMO_HISTORY_ROWS)")
    command.set_defaults(run=purge)
    return parser


def _time(text: str) -> datetime:
    """Without a zone a time is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time like 2026-11-22 or 2026-11-22T08:30") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
