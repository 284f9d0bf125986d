"""Bring a registry that an earlier version of the project filled up to date."""

from experiments.data.specs import DatasetSpec
from experiments.registry import promotions, versions
from experiments.registry.descriptions import model_description, version_description
from experiments.registry.store import TrackingStore


def bring_up_to_date(store: TrackingStore, spec: DatasetSpec) -> None:
    """Fill in what an earlier version of the project did not write yet. Leaves what a person has written alone."""
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
    promotions.move_to_versions(store, spec)
