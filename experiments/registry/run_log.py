"""One run, while it goes on and afterwards."""

import contextlib
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import Run

BUNDLE = "bundle"  # artifact path of the exported model in its run


@dataclass(frozen=True)
class RunSummary:
    """One run of the store. `version`: its number in the registry, None when it was not registered."""

    run_id: str
    name: str
    reason: str
    status: str  # RUNNING, FINISHED, FAILED or KILLED
    started: datetime
    seconds: float | None  # None while it runs
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    version: str | None


@dataclass(frozen=True)
class RunLog:
    """Where a run that is going on writes what it finds."""

    run_id: str
    _client: "MlflowClient"

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Metrics by name, at the end of epoch `step` or of the whole run."""
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        points = [Metric(name, float(value), now, step or 0) for name, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=points)

    def log_figure(self, figure: "Figure", name: str) -> None:
        """A Matplotlib figure as the picture `name`."""
        self._client.log_figure(self.run_id, figure, name)

    def log_json(self, content: dict[str, Any], name: str) -> None:
        """A dictionary as the file `name`."""
        self._client.log_dict(self.run_id, content, name)

    def log_bundle(self, folder: Path) -> None:
        """The exported model, which promotion takes from here."""
        self._client.log_artifacts(self.run_id, str(folder), BUNDLE)

    def log_keras_model(self, model: "keras.Model", example: np.ndarray) -> None:
        """The model as MLflow keeps it, with signature. example: uint8 [N, H, W, C], a few images."""
        import mlflow.tensorflow
        from mlflow.models import infer_signature

        with contextlib.redirect_stdout(io.StringIO()):  # MLflow tries the example with a progress bar
            mlflow.tensorflow.log_model(
                model,
                name="model",
                signature=infer_signature(example, model.predict(example, verbose=0)),
                input_example=example,
                pip_requirements=[f"{name}=={metadata.version(name)}" for name in ("tensorflow", "keras", "numpy")],
            )

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Tags that are known only now."""
        for name, value in tags.items():
            self._client.set_tag(self.run_id, name, value)


def _summary(run: "Run", version: str | None) -> RunSummary:
    started, ended, tags = run.info.start_time, run.info.end_time, run.data.tags
    return RunSummary(
        run_id=run.info.run_id,
        name=run.info.run_name,
        reason=tags.get("mlflow.note.content", ""),
        status=run.info.status,
        started=datetime.fromtimestamp(started / 1000, UTC),
        seconds=(ended - started) / 1000 if ended else None,
        params=run.data.params,
        metrics=run.data.metrics,
        tags={name: value for name, value in tags.items() if not name.startswith("mlflow.")},
        version=version,
    )
