"""The promotion history: what was in Production when, why and by which data. MLflow keeps none, so tags do."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pydantic

from experiments.data.specs import DatasetSpec
from experiments.registry import versions
from experiments.registry.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

PromotedBy = Literal["gate", "hand", "rollback", "start"]
PREFIX = "promotion."
"""Of those tags of a version that hold a promotion each: its time, by whom and why. In earlier
versions of the project tags of the registered model held promotions as JSON."""


@pydantic.dataclasses.dataclass(frozen=True)
class Promotion:
    """A version took Production. `by`: the gate, a person, a rollback, or the start of an empty registry."""

    version: str
    run_id: str
    at: float  # seconds since 1970, UTC
    by: PromotedBy
    reason: str
    data_digest: str  # SHA-256 of what the version was trained on
    corrections: int = 0  # accepted ones among it

    @property
    def version_tags(self) -> dict[str, str]:
        """As tags of its version, from which `latest` reads it."""
        return {
            "promoted_at": _utc(self.at),
            "promoted_by": self.by,
            "promotion_reason": self.reason,
            "data_digest": self.data_digest,
            "corrections": str(self.corrections),
        }

    @property
    def history_tag(self) -> tuple[str, str]:
        """Name and value of the tag of its version that keeps it in the history."""
        return f"{PREFIX}{_utc(self.at)}", f"{self.by}: {self.reason}"


def latest(version: "ModelVersion") -> Promotion | None:
    """The latest promotion of a version by its tags; None if they hold none."""
    tags = version.tags
    return _promotion(version, tags.get("promoted_at", ""), tags.get("promoted_by", ""), tags.get("promotion_reason"))


def history(store: TrackingStore, spec: DatasetSpec) -> list[Promotion]:
    """Every promotion of the versions that there are, the oldest first; also the latest if an interruption kept it out
    of the history's tags."""
    model, current = versions.registered_model(store, spec), versions.in_production(store, spec)
    promotions: list[Promotion | None] = list(_recorded_as_json(model).values())
    for version in versions.all_versions(store, spec).values():
        for name in version.tags:
            if name.startswith(PREFIX):
                by, _, reason = version.tags[name].partition(": ")
                promotions.append(_promotion(version, name.removeprefix(PREFIX), by, reason))
    if current is not None:
        promotions.append(latest(current))
    by_time = {promotion.at: promotion for promotion in promotions if promotion is not None}
    return [by_time[at] for at in sorted(by_time)]


def move_to_versions(store: TrackingStore, spec: DatasetSpec) -> None:
    """Move the promotions that tags of the registered model hold as JSON to their versions, where those still are."""
    existing = versions.all_versions(store, spec)
    with store.translate_errors():
        for tag, promotion in _recorded_as_json(versions.registered_model(store, spec)).items():
            if promotion.version in existing:
                version, tags = promotion.version, dict([promotion.history_tag])
                tags |= {name: promotion.version_tags[name] for name in ("data_digest", "corrections")}
                for name, value in tags.items():
                    store.client.set_model_version_tag(spec.registered_model, version, name, value)
                store.client.delete_registered_model_tag(spec.registered_model, tag)


def _recorded_as_json(model: "RegisteredModel | None") -> dict[str, Promotion]:
    """Promotions by tag of the registered model."""
    tags = model.tags if model else {}
    return {name: _ADAPTER.validate_json(tags[name]) for name in tags if name.startswith(PREFIX)}


def _promotion(version: "ModelVersion", at: str, by: str, reason: str | None) -> Promotion | None:
    """A promotion of a version, with what its tags say of its training; None if that is incomplete."""
    fields = {
        "version": str(version.version),
        "run_id": version.run_id,
        "by": by,
        "reason": reason,
        "data_digest": version.tags.get("data_digest"),
        "corrections": version.tags.get("corrections"),
    }
    try:
        return _ADAPTER.validate_python({**fields, "at": datetime.fromisoformat(at).timestamp()})
    except ValueError:  # of a store that kept less
        return None


def _utc(seconds: float) -> str:
    """ISO 8601 with a Z, since MLflow takes no + in the name of a tag."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


_ADAPTER = pydantic.TypeAdapter(Promotion)
