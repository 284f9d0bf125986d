"""Whether a retraining starts by itself: after so many accepted corrections, or by the clock."""

import logging
import time

from experiments.retraining.corrections import RetrainingError
from serving.learning.retraining_requests import learnable_count
from serving.storage.database import Database
from serving.storage.records import BusyError, CorrectionFilter, Retraining
from settings import Settings


def start_if_due(settings: Settings, database: Database, dataset: str) -> Retraining | None:
    """Ask for a retraining of the data set, if one is due; of many that do so together, one does. Raises StoreError."""
    if not (settings.retrain_after or settings.retrain_every_hours):
        return None
    from serving.storage.corrections import Corrections  # SQLAlchemy, which would slow the page's start
    from serving.storage.retrainings import Retrainings

    retrainings, corrections = Retrainings(database), Corrections(database)
    last = retrainings.latest(dataset)
    if last is not None and last.is_active:
        return None
    since = last.started_at if last is not None else 0.0
    accepted = corrections.count(CorrectionFilter(dataset, state="accepted", since=since))
    new = accepted - corrections.count(CorrectionFilter(dataset, state="accepted", since=since, unanswered=True))
    reason = _reason(settings, new, time.time() - since)
    if not reason:
        return None
    try:
        count = learnable_count(database, dataset)
        retraining = retrainings.request(dataset, count, last.id if last is not None else 0, [reason])
    except (BusyError, RetrainingError):  # another was quicker, or there is too little to learn
        return None
    logging.getLogger(__name__).info("Retraining %d of %s: %s", retraining.id, dataset, reason)
    return retraining


def _reason(settings: Settings, new: int, seconds: float) -> str:
    """Why a retraining starts, with so many corrections accepted in the seconds since the last one began; empty if it
    does not."""
    if settings.retrain_after and new >= settings.retrain_after:
        return f"It starts by itself: {new} corrections were accepted since the last one."
    if settings.retrain_every_hours and new and seconds >= 3600 * settings.retrain_every_hours:
        return f"It starts by itself, as every {settings.retrain_every_hours:g} hours; {new} corrections are new."
    return ""
