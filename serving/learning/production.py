"""The model in Production: promoted and rolled back by the operator, and its log in the database."""

import logging
from typing import TYPE_CHECKING

from experiments.data.specs import SPECS
from experiments.registry import production as registry
from experiments.registry import promotions
from experiments.registry.store import RegistryError, TrackingStore
from experiments.registry.versions import GATE, all_versions
from serving.services import Services
from serving.storage.database import Database
from serving.storage.records import ProductionEntry, StoreError
from settings import Settings

if TYPE_CHECKING:
    from serving.storage.production_log import ProductionLog


def refresh_models(services: Services) -> None:
    """Load models that came into Production elsewhere and complete the log. Never raises: answering goes on."""
    for dataset, classifier in services.classifiers.items():
        if classifier.refresh():
            try:
                update_log(services.database, services.settings, dataset)
            except (RegistryError, StoreError) as error:
                logging.getLogger(__name__).warning("The Production log waits: %s", error)


def log(services: Services, dataset: str) -> list[ProductionEntry]:
    """The log, completed from the registry. Raises RegistryError, StoreError."""
    return update_log(services.database, services.settings, dataset).entries(dataset)


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


def update_log(database: Database, settings: Settings, dataset: str) -> "ProductionLog":
    """Add to the log what only the registry has. Raises RegistryError, StoreError."""
    from serving.storage.production_log import ProductionLog  # SQLAlchemy, which would slow the page's start

    production_log = ProductionLog(database)
    production_log.add_missing(dataset, promotions.history(TrackingStore.of(settings), SPECS[dataset]))
    return production_log


def _answer_by(services: Services, dataset: str, version: str) -> str:
    if dataset in services.classifiers:
        services.classifiers[dataset].refresh()
    update_log(services.database, services.settings, dataset)
    return version
