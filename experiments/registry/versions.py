"""What the registry holds of a data set: its versions, which of them is in Production, what the gate said of each."""

from typing import TYPE_CHECKING

from experiments.data.specs import DatasetSpec
from experiments.registry.store import RegistryError, TrackingStore, all_pages

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

ALIAS = "production"
GATE = "gate"
"""Tag of a version: `passed` or `refused`, and why."""


def registered_model(store: TrackingStore, spec: DatasetSpec) -> "RegisteredModel | None":
    """The registered model; None before its first version."""
    with store.translate_errors():
        found = store.client.search_registered_models(f"name='{spec.registered_model}'")
    return found[0] if found else None


def in_production(store: TrackingStore, spec: DatasetSpec) -> "ModelVersion | None":
    """The version that the alias names; None while there is none."""
    registered = registered_model(store, spec)
    if registered is None or ALIAS not in registered.aliases:
        return None
    with store.translate_errors():
        return store.client.get_model_version(spec.registered_model, registered.aliases[ALIAS])


def all_versions(store: TrackingStore, spec: DatasetSpec) -> dict[str, "ModelVersion"]:
    """Every version by its number, the oldest first."""
    with store.translate_errors():
        found = all_pages(store.client.search_model_versions, f"name='{spec.registered_model}'")
    return {str(version.version): version for version in sorted(found, key=lambda each: int(each.version))}


def get(store: TrackingStore, spec: DatasetSpec, number: str) -> "ModelVersion":
    """One of them. Raises RegistryError if there is none of this number."""
    there = all_versions(store, spec)
    if number not in there:
        numbers = ", ".join(there) or "none"
        raise RegistryError(f"{spec.registered_model} has no version {number!r}. Versions in the registry: {numbers}.")
    return there[number]
