"""What is done to the online side by hand: `python -m serving purge`."""

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from serving.database import open_database
from serving.entries import StoreError
from serving.store import History
from settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m serving")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("purge", help="forget old answers; corrected ones stay")
    command.add_argument("--days", type=float, help="what is older goes (default: HISTORY_DAYS)")
    command.add_argument("--rows", type=int, help="as many of the newest stay (default: HISTORY_ROWS)")
    command.set_defaults(run=purge)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.run(chosen, Settings())
    except ValidationError as error:
        parser.error("; ".join(f"{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors()))
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1


def purge(chosen: argparse.Namespace, settings: Settings) -> int:
    """Forgets what is older or more than said, and says how many answers went."""
    days = settings.history_days if chosen.days is None else chosen.days
    rows = settings.history_rows if chosen.rows is None else chosen.rows
    database = open_database(settings)
    print(f"{History(database).purge(max(days, 0), max(rows, 0))} answers forgotten.")
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
