"""The alias `challenger`: the latest version that the promotion gate has not let through."""

from experiments.data.specs import DatasetSpec
from experiments.registry import versions
from experiments.registry.store import TrackingStore
from experiments.registry.versions import ALIAS, GATE, REFUSED

CHALLENGER = "challenger"


def name_challenger(store: TrackingStore, spec: DatasetSpec) -> None:
    """Move the alias to where it belongs now: away from a version that took Production, or that a later one overtook by
    passing the gate."""
    model = versions.registered_model(store, spec)
    if model is None:
        return
    challenger = _latest_refused(store, spec, str(model.aliases.get(ALIAS, "")))
    with store.translate_errors():
        if challenger is None and CHALLENGER in model.aliases:
            store.client.delete_registered_model_alias(spec.registered_model, CHALLENGER)
        elif challenger is not None and str(model.aliases.get(CHALLENGER)) != challenger:
            store.client.set_registered_model_alias(spec.registered_model, CHALLENGER, challenger)


def _latest_refused(store: TrackingStore, spec: DatasetSpec, in_production: str) -> str | None:
    """The latest refused version, unless one that was judged later passed; versions that nobody judged do not count."""
    for number, version in reversed(versions.all_versions(store, spec).items()):
        gate = version.tags.get(GATE, "")
        if number == in_production or (gate and not gate.startswith(REFUSED)):
            return None
        if gate:
            return number
    return None
