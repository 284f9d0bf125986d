"""The model in Production: promoted and rolled back by the operator, and its log in the database."""

import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING

from experiments.data.specs import SPECS
from experiments.registry import production as registry
from experiments.registry import promotions
from experiments.registry.store import RegistryAwayError, RegistryError, TrackingStore, hurry
from experiments.registry.versions import GATE, all_versions
from serving.services import Services
from serving.storage.database import Database
from serving.storage.records import ProductionEntry, StoreError

if TYPE_CHECKING:
    from experiments.registry.promotions import Promotion

REFRESH_INTERVAL = 5.0  # s


def follow_registry(services: Services) -> None:
    """Keep the models current until the stop. For a thread of its own: a registry may take its time."""
    hurry()
    while not services.closed.wait(REFRESH_INTERVAL):
        refresh_models(services)


def refresh_models(services: Services) -> None:
    """Load models that came into Production elsewhere and complete the log. Never raises: answering goes on."""
    for dataset, classifier in services.classifiers.items():
        try:
            if services.registry_calls.call_and_wait(classifier.refresh, always=True):
                services.registry_calls.call_and_wait(partial(log, services, dataset))
        except RegistryAwayError:  # which is logged where it is noticed
            return
        except (RegistryError, StoreError) as error:
            logging.getLogger(__name__).warning("The Production log waits: %s", error)


# The functions below ask the registry: call them through `Services.registry_calls`.


def log(services: Services, dataset: str) -> list[ProductionEntry]:
    """The log, completed from the registry. Raises RegistryError, StoreError."""
    history = promotions.history(TrackingStore.of(services.settings), SPECS[dataset])
    return services.database_calls.call_and_wait(partial(_completed_log, services.database, dataset, history))


def promote(services: Services, dataset: str, version: str, reason: str) -> str:
    """Put a version into Production by hand, past the gate only with a reason. Returns the version.

    This process answers by it at once, the others within seconds. Raises RegistryError, StoreError.
    """
    store = TrackingStore.of(services.settings)
    bundle = registry.promote(store, SPECS[dataset], version, reason.strip(), "hand")
    return _answer_by(services, dataset, bundle.version)


def rollback(services: Services, dataset: str, reason: str) -> str:
    """Put the version before the present one back into Production. Otherwise as `promote`."""
    store = TrackingStore.of(services.settings)
    bundle = registry.rollback(store, SPECS[dataset], reason.strip() or "rolled back by hand")
    return _answer_by(services, dataset, bundle.version)


def versions(services: Services, dataset: str) -> dict[str, str]:
    """Every version, newest first, with the gate's decision. Raises RegistryError."""
    known = all_versions(TrackingStore.of(services.settings), SPECS[dataset])
    return {number: known[number].tags.get(GATE, "") for number in reversed(known)}


def _completed_log(database: Database, dataset: str, history: "list[Promotion]") -> list[ProductionEntry]:
    """The log with what only the registry has added to it."""
    from serving.storage.production_log import ProductionLog  # SQLAlchemy, which would slow the page's start

    production_log = ProductionLog(database)
    production_log.add_missing(dataset, history)
    return production_log.entries(dataset)


def _answer_by(services: Services, dataset: str, version: str) -> str:
    if dataset in services.classifiers:
        with contextlib.suppress(RegistryAwayError):  # it is in Production all the same, and taken up later
            services.classifiers[dataset].refresh()
    log(services, dataset)
    return version
