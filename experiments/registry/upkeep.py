"""Bring a registry up to date: an empty one, or one that an earlier version of the project filled."""

from collections.abc import Callable
from pathlib import Path

from experiments.data.specs import DatasetSpec
from experiments.inference import bundle as bundles
from experiments.inference.bundle import BundleError
from experiments.registry import models, production, promotions, versions
from experiments.registry.challenger import name_challenger
from experiments.registry.descriptions import model_description, version_description
from experiments.registry.run_models import logged_bundle
from experiments.registry.store import RegistryError, TrackingStore


def bring_up_to_date(store: TrackingStore, spec: DatasetSpec, shipped: Path, log_line: Callable[[str], None]) -> None:
    """Let an empty registry start with the model that came with the repository, and fill in what an earlier version of
    the project did not write yet."""
    try:
        if production.seed_shipped(store, spec, bundles.read(shipped)):
            log_line("The registry was empty: the shipped model is version 1, in Production.")
    except BundleError as error:
        log_line(f"The registry starts without the shipped model. {error}")
    _describe(store, spec)
    promotions.move_to_versions(store, spec)
    name_challenger(store, spec)
    _upgrade_models(store, spec, log_line)


def _describe(store: TrackingStore, spec: DatasetSpec) -> None:
    """Leaves what a person has written alone."""
    model = versions.registered_model(store, spec)
    if model is None:
        return
    runs = {run.run_id: run for run in store.runs(spec.name)}
    with store.translate_errors():
        if not model.description:
            store.client.update_registered_model(spec.registered_model, model_description(spec))
        for number, version in versions.all_versions(store, spec).items():
            run = runs.get(version.run_id or "")
            if run is not None and (version.description or "") in ("", run.reason):
                store.client.update_model_version(spec.registered_model, number, version_description(run, spec))


def _upgrade_models(store: TrackingStore, spec: DatasetSpec, log_line: Callable[[str], None]) -> None:
    """Make MLflow's models of versions that an earlier project registered, with the code of today, where they are. One
    that can't be stays as it is."""
    for number, version in versions.all_versions(store, spec).items():
        if version.tags.get(models.READER) != models.reader():
            title = f"Version {number} of {spec.registered_model}"
            try:
                with logged_bundle(store, versions.run_id(version), title) as bundle:
                    models.replace(store.client, version, bundle.folder, spec)
                    store.client.set_model_version_tag(version.name, number, models.READER, models.reader())
            except RegistryError as error:
                log_line(f"{title} stays as it is. {error}")
            else:
                log_line(f"{title} can be loaded and served by MLflow now.")
