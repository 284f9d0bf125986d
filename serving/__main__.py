"""What is done to the online side by hand: `python -m serving retrain`, `replay` and `purge`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import ValidationError

from experiments.data.specs import SPECS
from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryError
from experiments.retraining.corrections import RetrainingError
from serving.learning import retraining_process
from serving.learning.replay import bundle_of_version
from serving.learning.replay import replay as replayed
from serving.storage.database import open_database
from serving.storage.history import History
from serving.storage.records import BusyError, StoreError
from settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen, Settings())
    except ValidationError as error:
        parser.error("; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()))
    except (BusyError, ModelError, RegistryError, RetrainingError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1


def retrain(chosen: argparse.Namespace, settings: Settings) -> int:
    """Learns what was accepted, as the button on the page does."""
    retraining_process.lower_priority()
    if status := retraining_process.run(settings, chosen.dataset, chosen.job):
        retraining_process.exit_now(status)
    return status


def replay(chosen: argparse.Namespace, settings: Settings) -> int:
    """Lists the kept answers that a version would change."""
    bundle = bundle_of_version(settings, chosen.dataset, chosen.version)
    database = open_database(settings)
    until = chosen.until and chosen.until.timestamp()
    found = replayed(History(database), bundle, SPECS[chosen.dataset], chosen.since.timestamp(), until)
    for change in found.changes:
        entry, time = change.entry, datetime.fromtimestamp(change.entry.answered_at, UTC)
        was = f"{entry.label or entry.verdict} (version {entry.model_version})"
        now = f"{change.label or change.verdict} {100 * change.confidence:.0f} %"
        print(f"{time:%Y-%m-%d %H:%M:%S}  {entry.request_id}  {was} -> {now}")
    print(f"{len(found.changes)} of {found.count} answers would change with version {found.version}.")
    database.close()
    return 0


def purge(chosen: argparse.Namespace, settings: Settings) -> int:
    """Forgets what is older or more than said, and says how many answers went."""
    days = settings.history_days if chosen.days is None else chosen.days
    rows = settings.history_rows if chosen.rows is None else chosen.rows
    database = open_database(settings)
    print(f"{History(database).purge(max(days, 0), max(rows, 0))} answers forgotten.")
    database.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("retrain", help="learn what was accepted; the gate decides about Production")
    command.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    command.add_argument("--job", type=int, help="one that the page has entered already")
    command.set_defaults(run=retrain)
    command = commands.add_parser("replay", help="list the kept answers that a version would change")
    command.add_argument("--from", dest="since", type=_time, required=True, help="date or time, ISO 8601, UTC")
    command.add_argument("--until", type=_time, help="likewise (default: now)")
    command.add_argument("--version", required=True, help="number of the version in the registry")
    command.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="which data set (default: mnist)")
    command.set_defaults(run=replay)
    command = commands.add_parser("purge", help="forget old answers; corrected ones stay")
    command.add_argument("--days", type=float, help="what is older goes (default: HISTORY_DAYS)")
    command.add_argument("--rows", type=int, help="as many of the newest stay (default: HISTORY_ROWS)")
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
