"""Ask for a retraining, or for its end: an entry in the database, which a trainer takes up."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

from experiments.retraining.corrections import MIN_CORRECTIONS, RetrainingError, check_enough
from serving.core.errors import Refused
from serving.storage.database import Database
from serving.storage.records import BusyError, CorrectionFilter, Retraining

# Functions import what needs SQLAlchemy, since the page starts with this module.
if TYPE_CHECKING:
    from serving.services import Services

CORRECTIONS_NEEDED = MIN_CORRECTIONS
"""Accepted ones, for a retraining."""
TRAINING_PACKAGES = ("keras", "matplotlib", "mlflow", "scikit-learn", "tensorflow")
"""What a retraining imports and the page does not: `make demo` installs it while the page answers already."""
TRAINER_TIMEOUT = 60.0  # s without a sign of a trainer after which the operator is told
BEGIN_TRAINER = (
    "Start one: `docker compose up --detach trainer`, or `python -m serving trainer` on a machine that has the same "
    "settings of database and MLflow, 4 GB and a way to the data sets."
)


def start_retraining(services: "Services", dataset: str) -> Retraining:
    """Ask for a new retraining, which outlives this process. Raises Refused, StoreError."""
    try:
        retraining = services.retrainings.request(dataset, learnable_count(services.database, dataset))
    except BusyError as error:
        raise Refused(409, "busy", str(error), "GET /api/retrain/status shows it.") from None
    except RetrainingError as error:
        raise Refused(409, "not_started", str(error), "GET /api/training-data lists what there is.") from None
    services.retraining_requested.set()
    return retraining


def cancel_retraining(services: "Services", dataset: str | None = None) -> Retraining:
    """Ask the active retraining, of a data set or of any, to end, and return it. Raises Refused if none can be."""
    retraining = services.retrainings.cancel(dataset)
    if retraining is None:
        raise Refused(409, "nothing_to_cancel", "No retraining can be cancelled now.")
    return retraining


def learnable_count(database: Database, dataset: str) -> int:
    """How many accepted corrections there are to learn. Raises RetrainingError if there are too few."""
    from serving.storage.corrections import Corrections

    corrections = Corrections(database)
    unanswered = corrections.count(CorrectionFilter(dataset, state="accepted", unanswered=True))
    count = corrections.count(CorrectionFilter(dataset, state="accepted")) - unanswered
    check_enough(count, unanswered)
    return count


def missing_packages(packages: Sequence[str] = TRAINING_PACKAGES) -> list[str]:
    """Which of these are not installed."""
    installed = {name for name in packages for _ in metadata.distributions(name=name)}
    return [name for name in packages if name not in installed]


def waiting_notice(
    services: "Services", retraining: Retraining | None, packages: Sequence[str] = TRAINING_PACKAGES
) -> str:
    """Why a retraining is not going on, or would not, and what to do about that; empty otherwise. packages: that it
    needs."""
    if services.settings.trainer == "page" and (missing := missing_packages(packages)):
        names = f"{', '.join(missing[:-1])} and {missing[-1]}" if missing[1:] else missing[0]
        return (
            f"A retraining waits until {names} {'are' if missing[1:] else 'is'} installed: `make demo` does so beside "
            "the page, within minutes, and `make install` at any time."
        )
    if retraining is None or not retraining.is_waiting:
        return ""
    lost = "" if retraining.state == "queued" else "Its process was lost, so that it is done again. "
    if services.settings.trainer == "page":
        return f"{lost}It begins in a moment, or when this machine has ended another: it does one at a time."
    seen_at = services.retrainings.trainer_seen_at()
    if seen_at is not None and seen_at > time.time() - TRAINER_TIMEOUT:
        return f"{lost}It waits for the trainer, which does one at a time."
    since = "yet" if seen_at is None else f"since {datetime.fromtimestamp(seen_at, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{lost}It waits for a trainer, and none has been seen {since}. {BEGIN_TRAINER}"
