"""The promotion history: what was in Production when, why and by which data. MLflow keeps none, so tags do."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pydantic

from experiments.data.specs import DatasetSpec
from experiments.registry import versions
from experiments.registry.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

PromotedBy = Literal["gate", "hand", "rollback", "start"]
PREFIX = "promotion."
"""Of those tags of the registered model that hold a promotion each."""


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
            "promoted_at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds"),
            "promoted_by": self.by,
            "promotion_reason": self.reason,
            "data_digest": self.data_digest,
            "corrections": str(self.corrections),
        }

    @property
    def model_tag(self) -> tuple[str, str]:
        """Name and value of the registered model's tag that keeps it in the history."""
        return f"{PREFIX}{self.at:.6f}", _ADAPTER.dump_json(self).decode()


def latest(version: "ModelVersion") -> Promotion | None:
    """The latest promotion of a version by its tags; None if they hold none."""
    tags = version.tags
    try:
        fields = {
            "at": datetime.fromisoformat(tags["promoted_at"]).timestamp(),
            "by": tags["promoted_by"],
            "reason": tags["promotion_reason"],
            "data_digest": tags["data_digest"],
            "corrections": tags["corrections"],
        }
        return _ADAPTER.validate_python({"version": str(version.version), "run_id": version.run_id, **fields})
    except (KeyError, ValueError):  # of a store that kept less
        return None


def history(store: TrackingStore, spec: DatasetSpec) -> list[Promotion]:
    """Every promotion, the oldest first; also the latest if an interruption kept it out of the history's tags."""
    model, current = versions.registered_model(store, spec), versions.in_production(store, spec)
    tags = {name: value for name, value in (model.tags if model else {}).items() if name.startswith(PREFIX)}
    if current is not None and (promotion := latest(current)) is not None:
        name, value = promotion.model_tag
        tags.setdefault(name, value)
    return [_ADAPTER.validate_json(tags[name]) for name in sorted(tags)]


_ADAPTER = pydantic.TypeAdapter(Promotion)
