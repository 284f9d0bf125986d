"""One MLflow run: written while it goes on, summarised afterwards."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.data.specs import DatasetSpec, Split
from experiments.registry import models
from experiments.registry.models import BUNDLE
from experiments.training.progress import Epoch

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import Run

TRAINING_VIEW = "?workflowType=machine_learning"
"""Query of an address within MLflow's page that has it show runs and models. Without it MLflow 3.17 opens an experiment
on traces of agents, whatever its tag `mlflow.experimentKind` says, until a person has chosen `Model training`."""
DIGEST_LENGTH = 12  # hexadecimal digits of the digest of a data set: MLflow's page shows them whole


@dataclass(frozen=True)
class RunSummary:
    """One run of the store. `curves` and `in_production` are filled in where runs are compared."""

    run_id: str
    name: str
    reason: str
    status: str  # RUNNING, FINISHED, FAILED or KILLED
    started: datetime
    seconds: float | None  # None while it runs
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    version: str | None  # its number in the registry, None while it is not registered
    link: str = ""  # its page in MLflow's UI; empty without a tracking server
    curves: tuple[Epoch, ...] = ()
    in_production: bool = False

    @classmethod
    def from_mlflow(cls, run: "Run", version: str | None, tracking_uri: str) -> "RunSummary":
        """MLflow's own tags are left out."""
        page = (
            f"{tracking_uri.rstrip('/')}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}{TRAINING_VIEW}"
        )
        started, ended, tags = run.info.start_time, run.info.end_time, run.data.tags
        return cls(
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
            link=page if tracking_uri.startswith("http") else "",
        )

    @property
    def title(self) -> str:
        """The name, with the version where the run was registered."""
        return f"{self.name} (v{self.version})" if self.version else self.name


@dataclass(frozen=True)
class RunLog:
    """Writes into a run that is going on."""

    run_id: str
    _client: "MlflowClient"

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Metrics by name, at the end of epoch `step` or of the whole run."""
        from mlflow.entities import Metric  # takes seconds, like all of MLflow

        now = int(1000 * time.time())
        points = [Metric(name, float(value), now, step or 0) for name, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=points)

    def log_figure(self, figure: "Figure", name: str) -> None:
        """A Matplotlib figure as the image file `name`."""
        self._client.log_figure(self.run_id, figure, name)

    def log_json(self, content: dict[str, Any], name: str) -> None:
        """A dictionary as the file `name`."""
        self._client.log_dict(self.run_id, content, name)

    def log_bundle(self, folder: Path) -> None:
        """The exported model; promotion takes it from here."""
        self._client.log_artifacts(self.run_id, str(folder), BUNDLE)

    def log_model(self, folder: Path, spec: DatasetSpec) -> None:
        """The exported model as MLflow has models, of any picture, to load, serve and score with."""
        models.log(self._client, self.run_id, folder, spec)

    def log_dataset(self, name: str, split: Split, context: str) -> None:
        """A split as an input of the run: digest of its content, number of images, schema. context: what the run uses
        it for, as MLflow's page labels it. The run has to go on; an empty split is none."""
        import mlflow
        from mlflow.data.numpy_dataset import from_numpy

        if not len(split.labels):
            return
        digest = hashlib.sha256(np.ascontiguousarray(split.images).data)
        digest.update(np.ascontiguousarray(split.labels).data)
        shown = digest.hexdigest()[:DIGEST_LENGTH]
        mlflow.log_input(from_numpy(split.images, targets=split.labels, name=name, digest=shown), context)
