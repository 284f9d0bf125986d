"""What is in Production: promoted and rolled back by the operator, and the log of it in the database."""

import logging
from typing import TYPE_CHECKING

from experiments.data.specs import SPECS
from experiments.registry.store import RegistryError
from serving.storage.records import ProductionEntry, StoreError

if TYPE_CHECKING:
    from experiments.registry.store import TrackingStore
    from serving.services import Services
    from serving.storage.database import Database
    from serving.storage.production_log import ProductionLog
    from settings import Settings


def refresh_models(services: "Services") -> None:
    """Takes up what came into Production elsewhere, and completes the log; whatever goes wrong, answering goes on."""
    for dataset, classifier in services.classifiers.items():
        if classifier.refresh():
            try:
                update_log(services.database, services.settings, dataset)
            except (RegistryError, StoreError) as error:
                logging.getLogger(__name__).warning("The Production log waits: %s", error)


def log(services: "Services", dataset: str) -> list[ProductionEntry]:
    """The log, completed from the registry. Raises RegistryError, StoreError."""
    return update_log(services.database, services.settings, dataset).entries(dataset)


def promote(services: "Services", dataset: str, version: str, reason: str) -> str:
    """Puts a version into Production by hand, past the gate only with a reason. This process answers by it at once, the
    others within seconds. Returns the version. Raises RegistryError, StoreError."""
    from experiments.registry import production

    taken = production.promote(_store(services.settings), SPECS[dataset], version, reason.strip(), "hand")
    return _take_up(services, dataset, taken.version)


def rollback(services: "Services", dataset: str, reason: str) -> str:
    """Puts the version before the present one back, likewise."""
    from experiments.registry import production

    taken = production.rollback(_store(services.settings), SPECS[dataset], reason.strip() or "rolled back by hand")
    return _take_up(services, dataset, taken.version)


def versions(services: "Services", dataset: str) -> dict[str, str]:
    """Every version, the newest first, and what the gate said of it. Raises RegistryError."""
    from experiments.registry import versions as catalogue

    found = catalogue.all_versions(_store(services.settings), SPECS[dataset])
    return {number: found[number].tags.get(catalogue.GATE, "") for number in reversed(found)}


def update_log(database: "Database", settings: "Settings", dataset: str) -> "ProductionLog":
    """The log, with what the registry knows more added. Raises RegistryError, StoreError."""
    from experiments.registry import promotions
    from serving.storage.production_log import ProductionLog

    kept = ProductionLog(database)
    kept.add_missing(dataset, promotions.history(_store(settings), SPECS[dataset]))
    return kept


def _take_up(services: "Services", dataset: str, version: str) -> str:
    if dataset in services.classifiers:
        services.classifiers[dataset].refresh()
    update_log(services.database, services.settings, dataset)
    return version


def _store(settings: "Settings") -> "TrackingStore":
    from experiments.registry.store import TrackingStore

    return TrackingStore.of(settings)
