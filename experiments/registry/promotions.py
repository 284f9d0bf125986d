"""What was in Production when, why and by which data. MLflow keeps no such history: here each promotion is a tag."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import pydantic

from experiments.data.specs import DatasetSpec
from experiments.registry import versions
from experiments.registry.store import TrackingStore

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from experiments.inference.bundle import Bundle

By = Literal["gate", "hand", "rollback", "start"]
PREFIX = "promotion."
"""Of the registered model's tags that hold a promotion each."""


@pydantic.dataclasses.dataclass(frozen=True)
class Promotion:
    """A version took Production. `by`: the gate let it, a person did, a rollback, or an empty registry's start."""

    version: str
    run_id: str
    at: float  # seconds since 1970, UTC
    by: By
    reason: str
    data_digest: str  # SHA-256 of what the version was trained on
    corrections: int = 0  # accepted ones among it

    @property
    def tags(self) -> dict[str, str]:
        """As tags of its version, from which `of_version` reads it."""
        return {
            "promoted_at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds"),
            "promoted_by": self.by,
            "promotion_reason": self.reason,
            "data_digest": self.data_digest,
            "corrections": str(self.corrections),
        }


def now(bundle: "Bundle", by: By, reason: str, corrections: int) -> Promotion:
    """The promotion of this bundle at this moment."""
    return Promotion(bundle.version, bundle.run_id, time.time(), by, reason, bundle.data_digest, corrections)


def entry(promotion: Promotion) -> tuple[str, str]:
    """Name and value of the registered model's tag that keeps it."""
    return f"{PREFIX}{promotion.at:.6f}", _ADAPTER.dump_json(promotion).decode()


def of_version(version: "ModelVersion") -> Promotion | None:
    """The latest promotion of a version by its tags; None if they hold none."""
    tags = version.tags
    try:
        return Promotion(
            version=str(version.version),
            run_id=version.run_id,
            at=datetime.fromisoformat(tags["promoted_at"]).timestamp(),
            by=tags["promoted_by"],
            reason=tags["promotion_reason"],
            data_digest=tags["data_digest"],
            corrections=int(tags["corrections"]),
        )
    except (KeyError, ValueError):  # of a store that kept less
        return None


def history(store: TrackingStore, spec: DatasetSpec) -> list[Promotion]:
    """Every promotion, the oldest first; also the latest if an interruption kept it out of the journal."""
    model, current = versions.registered_model(store, spec), versions.in_production(store, spec)
    kept = {name: value for name, value in (model.tags if model else {}).items() if name.startswith(PREFIX)}
    if current is not None and (latest := of_version(current)) is not None:
        name, value = entry(latest)
        kept.setdefault(name, value)
    return [_ADAPTER.validate_json(kept[name]) for name in sorted(kept)]


_ADAPTER = pydantic.TypeAdapter(Promotion)
