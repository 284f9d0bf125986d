"""The registry in the MLflow store: which model is in Production, and the only way into it."""

import contextlib
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.data.specs import DatasetSpec
from experiments.evaluation.gate import Decision
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle, BundleError
from experiments.registry import models, promotions, versions
from experiments.registry.challenger import name_challenger
from experiments.registry.descriptions import model_description, version_description
from experiments.registry.models import LOGGED
from experiments.registry.promotions import PromotedBy, Promotion
from experiments.registry.run_log import RunSummary
from experiments.registry.run_models import logged_bundle, model_of
from experiments.registry.store import RegistryError, TrackingStore
from experiments.registry.versions import ALIAS, GATE, PASSED, REFUSED

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

HISTORY = "production_history"
"""Tag of the registered model: the versions in Production before the present one, the latest last."""
GATE_REPORT = "gate.html"
"""File of a version's run: what the gate compared."""
CORRECTIONS = "corrections"
"""Tag of a run: how many accepted corrections it was trained on."""


@dataclass(frozen=True)
class ProductionModel:
    """The version in Production, the run that made it and what that run measured."""

    version: str
    run_id: str
    metrics: dict[str, float]


def register(store: TrackingStore, spec: DatasetSpec, run_id: str) -> str:
    """Make the run's model a version of the registry, once. Returns its number. Raises RegistryError for a run without
    a bundle."""
    name, client = spec.registered_model, store.client
    with store.translate_errors():
        for number, version in versions.all_versions(store, spec).items():
            if version.run_id == run_id:
                return number
        if versions.registered_model(store, spec) is None:
            client.create_registered_model(name, description=model_description(spec))
        model_id, tags = model_of(store, spec, run_id), {models.READER: models.reader()}
        run = RunSummary.from_mlflow(client.get_run(run_id), None, store.tracking_uri)
        text = version_description(run, spec)
        made = client.create_model_version(  # a tracking server takes no logged model that it is not told of
            name, LOGGED + model_id, run_id, tags, description=text, model_id=model_id
        )
        return str(made.version)


def current_model(store: TrackingStore, spec: DatasetSpec) -> ProductionModel | None:
    """The model that has the alias `production`; None while there is none."""
    current = versions.in_production(store, spec)
    if current is None:
        return None
    run_id = versions.run_id(current)
    with store.translate_errors():
        return ProductionModel(str(current.version), run_id, store.client.get_run(run_id).data.metrics)


def promote(store: TrackingStore, spec: DatasetSpec, version: str, reason: str, by: PromotedBy = "hand") -> Bundle:
    """Put `version` into Production: alias, tag and stage, and its bundle exported on this machine.

    Safe to interrupt at any point, and to repeat. Raises RegistryError for an unknown version, for one whose bundle
    is gone, and for one that has not passed the gate unless a reason is given.
    """
    earlier, current = _earlier(store, spec), versions.in_production(store, spec)
    if current and str(current.version) != version:
        earlier = [*earlier, str(current.version)]
    reason = reason or _default_reason(store, spec, version)
    return _take_production(store, spec, version, reason, by, earlier)


def record_decision(store: TrackingStore, spec: DatasetSpec, version: str, decision: Decision, report: str) -> None:
    """Keep the gate's decision as a tag of the version, its report as a file of the version's run, and the alias
    `challenger` true. report: HTML."""
    run_id = versions.run_id(versions.get(store, spec, version))
    with store.translate_errors():
        store.client.log_text(run_id, report, GATE_REPORT)
        verdict = f"{PASSED if decision.promote else REFUSED}: {decision.reason}"
        store.client.set_model_version_tag(spec.registered_model, version, GATE, verdict)
    name_challenger(store, spec)


def rollback(store: TrackingStore, spec: DatasetSpec, reason: str) -> Bundle:
    """Put the version before the present one back into Production; called again, the one before that.

    Raises RegistryError when there is none.
    """
    earlier = _earlier(store, spec)
    if not earlier:
        raise RegistryError(
            f"{spec.registered_model} has no earlier Production version to go back to. "
            "`python -m experiments compare` lists all versions, and `promote VERSION` takes any of them."
        )
    return _take_production(store, spec, earlier[-1], reason, "rollback", earlier)


def export(store: TrackingStore, spec: DatasetSpec, version: str) -> Bundle:
    """The bundle of any version, exported to this machine unless it is there. Raises RegistryError."""
    return _export(store, spec, versions.get(store, spec, version))


def seed_shipped(store: TrackingStore, spec: DatasetSpec, shipped: Bundle) -> bool:
    """Put the shipped bundle into an empty registry, as version 1 and in Production. Returns whether it did.

    Completes an interrupted seeding.
    """
    if versions.in_production(store, spec) is not None:
        return False
    finished = [run for run in store.runs(spec.name) if run.status == "FINISHED"]
    seeds = [run.run_id for run in finished if run.tags.get("origin") == "shipped"]
    if not seeds:
        if versions.all_versions(store, spec):
            return False
        seeds = [_log_shipped(store, spec, shipped)]
    promote(store, spec, register(store, spec, seeds[0]), "the registry was empty", "start")
    return True


def pull(store: TrackingStore, spec: DatasetSpec) -> Bundle | None:
    """The Production model, exported to this machine unless it is there; None while there is none."""
    current = versions.in_production(store, spec)
    if current is None:
        return None
    exported = _export(store, spec, current)
    bundles.point_current(exported)
    return exported


def _take_production(
    store: TrackingStore, spec: DatasetSpec, version: str, reason: str, by: PromotedBy, earlier: list[str]
) -> Bundle:
    """Setting the alias is the commit: steps before it may be lost, those after it are completed by a repetition."""
    name, client = spec.registered_model, store.client
    with store.translate_errors():
        promoted, current = versions.get(store, spec, version), versions.in_production(store, spec)
        exported = _export(store, spec, promoted)
        promotion = promotions.latest(promoted)
        if promotion is None or current is None or str(current.version) != version:  # else it is a repetition
            corrections = int(client.get_run(exported.run_id).data.tags.get(CORRECTIONS, 0))
            promotion = Promotion(version, exported.run_id, time.time(), by, reason, exported.data_digest, corrections)
        client.set_registered_model_tag(name, HISTORY, " ".join(earlier))
        for tag, value in promotion.version_tags.items():
            client.set_model_version_tag(name, version, tag, value)
        client.set_registered_model_alias(name, ALIAS, version)
        client.set_model_version_tag(name, version, *promotion.history_tag)
        _set_stages(store, spec, version)
    bundles.point_current(exported)  # a process without the registry starts with it
    name_challenger(store, spec)
    return exported


def _default_reason(store: TrackingStore, spec: DatasetSpec, version: str) -> str:
    """For a version that passed the gate or was in Production before. Raises RegistryError for any other."""
    gate = versions.get(store, spec, version).tags.get(GATE, "")
    if gate.startswith(PASSED) or any(entry.version == version for entry in promotions.history(store, spec)):
        return "promoted by hand"
    raise RegistryError(
        f"Version {version} of {spec.registered_model} has not passed the gate ({gate or 'it was never judged'}). "
        "To put it into Production all the same, give a reason; the Production log keeps it."
    )


def _set_stages(store: TrackingStore, spec: DatasetSpec, version: str) -> None:
    from mlflow.exceptions import MlflowException  # takes seconds, like all of MLflow

    name, client = spec.registered_model, store.client
    client.set_model_version_tag(name, version, "stage", "Production")
    for number, other in versions.all_versions(store, spec).items():
        if number != version and other.tags.get("stage") == "Production":
            client.set_model_version_tag(name, number, "stage", "Archived")
    # Stages are deprecated and not every store has them; where it does, its user interface shows them.
    with warnings.catch_warnings(), contextlib.suppress(MlflowException):
        warnings.simplefilter("ignore", FutureWarning)
        client.transition_model_version_stage(name, version, "Production", archive_existing_versions=True)


def _export(store: TrackingStore, spec: DatasetSpec, version: "ModelVersion") -> Bundle:
    """From this machine if it is there and intact, else from the artifacts of its run."""
    number, run_id = str(version.version), versions.run_id(version)
    folder = bundles.exports_of(store.artifact_dir, spec.name) / number
    with contextlib.suppress(BundleError):
        exported = bundles.read(folder)
        if exported.run_id == run_id:  # else it comes from another registry with the same number
            return exported
    with logged_bundle(store, run_id, f"Version {number} of {spec.registered_model}") as logged:
        return bundles.install(logged, folder, version=number, run_id=run_id)


def _log_shipped(store: TrackingStore, spec: DatasetSpec, shipped: Bundle) -> str:
    reason = (
        f"The model shipped with the project, trained on {shipped.trained_at[:10]}. "
        "Nothing was trained in this run: the metrics are those recorded with the model."
    )
    tags = {"origin": "shipped", "trained_at": shipped.trained_at, "trained_in_run": shipped.run_id}
    with store.run(spec.name, "shipped", reason, {"data_digest": shipped.data_digest}, tags) as log:
        log.log_metrics(shipped.metrics)
        log.log_bundle(shipped.folder)
    return log.run_id


def _earlier(store: TrackingStore, spec: DatasetSpec) -> list[str]:
    """Versions in Production before the present one that still exist, the latest last."""
    model, existing = versions.registered_model(store, spec), versions.all_versions(store, spec)
    if model is None:
        return []
    earlier = [version for version in model.tags.get(HISTORY, "").split() if version in existing]
    while earlier and earlier[-1] == str(model.aliases.get(ALIAS)):  # after a rollback, or an interruption
        earlier.pop()
    return earlier
