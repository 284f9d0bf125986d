"""A data set's model versions in the registry: all of them, and the one in Production."""

from typing import TYPE_CHECKING

from experiments.data.specs import DatasetSpec
from experiments.registry.store import RegistryError, TrackingStore, all_pages

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

ALIAS = "production"
GATE = "gate"
PASSED, REFUSED = "passed", "refused"
"""Tag of a version, and what its value starts with: the gate's decision; its reason follows."""


def registered_model(store: TrackingStore, spec: DatasetSpec) -> "RegisteredModel | None":
    """The registered model; None before its first version."""
    with store.translate_errors():
        models = store.client.search_registered_models(f"name='{spec.registered_model}'")
    return models[0] if models else None


def in_production(store: TrackingStore, spec: DatasetSpec) -> "ModelVersion | None":
    """The version that has the alias `production`; None while there is none."""
    model = registered_model(store, spec)
    if model is None or ALIAS not in model.aliases:
        return None
    with store.translate_errors():
        return store.client.get_model_version(spec.registered_model, model.aliases[ALIAS])


def all_versions(store: TrackingStore, spec: DatasetSpec) -> dict[str, "ModelVersion"]:
    """Every version by its number, the oldest first."""
    with store.translate_errors():
        found = all_pages(store.client.search_model_versions, f"name='{spec.registered_model}'")
    return {str(version.version): version for version in sorted(found, key=lambda version: int(version.version))}


def get(store: TrackingStore, spec: DatasetSpec, number: str) -> "ModelVersion":
    """The version of this number. Raises RegistryError if there is none."""
    existing = all_versions(store, spec)
    if number not in existing:
        numbers = ", ".join(existing) or "none"
        raise RegistryError(f"{spec.registered_model} has no version {number!r}. Versions in the registry: {numbers}.")
    return existing[number]


def run_id(version: "ModelVersion") -> str:
    """The run that made a version. Raises RegistryError for one that was registered without a run."""
    if not version.run_id:
        raise RegistryError(
            f"Version {version.version} of {version.name} names no run, so its bundle can't be found. "
            "Promote another version."
        )
    return version.run_id
