"""The MLflow store: what the experiments logged. The registry of models in it is production.py."""

import contextlib
import logging
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.registry.locking import migration_lock
from experiments.registry.run_log import RunLog, RunSummary, _summary

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from settings import Settings


class RegistryError(RuntimeError):
    """The store does not answer, or has not what was asked for. Worded for the person who runs the project."""


class TrackingStore:
    """MLflow's runs and models at `tracking_uri`. Raises RegistryError when it does not answer.

    A database keeps the artifacts under `artifact_dir`, a tracking server where it was told to.
    """

    def __init__(self, tracking_uri: str, artifact_dir: Path) -> None:
        self.tracking_uri, self.artifact_dir = tracking_uri, artifact_dir
        _quieten()
        with self.translate_errors():
            self.client = _open(tracking_uri)
            if tracking_uri.startswith("sqlite:"):
                _follow_move(tracking_uri, artifact_dir)

    @classmethod
    def of(cls, settings: "Settings") -> "TrackingStore":
        """The store that the settings name."""
        return cls(settings.mlflow_tracking_uri, settings.artifact_dir)

    @contextlib.contextmanager
    def run(
        self, dataset: str, name: str, reason: str, params: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Iterator[RunLog]:
        """A run in the experiment `dataset`: FINISHED when the block ends well, else FAILED, KILLED by Ctrl-C."""
        import mlflow

        with self.translate_errors():
            mlflow.set_tracking_uri(self.tracking_uri)
            experiment = self._experiment(dataset)
            run = mlflow.start_run(experiment_id=experiment, run_name=name, description=reason, tags=dict(tags))
            status = "FAILED"
            try:
                mlflow.log_params(dict(params))
                yield RunLog(run.info.run_id, self.client)
                status = "FINISHED"
            except KeyboardInterrupt:
                status = "KILLED"
                raise
            finally:
                mlflow.end_run(status)

    def finished(self, dataset: str, fingerprints: Collection[str]) -> RunSummary | None:
        """The latest finished run whose tag `fingerprint` is one of these."""
        finished = (run for run in reversed(self.runs(dataset)) if run.status == "FINISHED")
        return next((run for run in finished if run.tags.get("fingerprint") in fingerprints), None)

    def runs(self, dataset: str) -> list[RunSummary]:
        """All runs of the experiment `dataset`, the oldest first."""
        with self.translate_errors():
            experiment = self.client.get_experiment_by_name(dataset)
            if experiment is None:
                return []
            found = all_pages(self.client.search_runs, [experiment.experiment_id], order_by=["start_time ASC"])
            models = all_pages(self.client.search_model_versions)
        versions = {model.run_id: str(model.version) for model in models}
        return [_summary(run, versions.get(run.info.run_id)) for run in found]

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn what MLflow and its database raise into RegistryError."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError) as error:
            reason = str(error).partition("\n")[0][:200]
            message = f"The MLflow store {self.tracking_uri} can't be used: {reason}. "
            advice = "Check MLFLOW_TRACKING_URI, and the server or file that it names."
            raise RegistryError(re.sub("//[^@/ ]*@", "//", message) + advice) from error  # without a password

    def _experiment(self, name: str) -> str:
        known = self.client.get_experiment_by_name(name)
        if known is None:
            location = None if self.tracking_uri.startswith("http") else _location(self.artifact_dir, name)
            return self.client.create_experiment(name, artifact_location=location)
        if known.lifecycle_stage == "deleted":
            self.client.restore_experiment(known.experiment_id)
        return known.experiment_id


def all_pages(search: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
    """Everything that one of the MLflow client's searches finds."""
    found, token = [], None
    while token != "":
        page = search(*args, **kwargs, page_token=token)
        found += page
        token = page.token or ""
    return found


def _open(uri: str) -> "MlflowClient":
    import sqlalchemy
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if not uri.startswith("http"):  # MLflow would try a database that is not there for 100 s
        try:
            sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool).connect().close()
        except ImportError as error:
            raise MlflowException(f"its driver is not installed ({error})") from error
    # Processes that make the tables at the same time fail.
    with contextlib.nullcontext() if uri.startswith("http") else migration_lock(uri):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    return client


def _follow_move(uri: str, artifact_dir: Path) -> None:
    """Correct MLflow's absolute paths after a move; a copy would write into the original's folder."""
    import sqlalchemy
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
    from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
    from sqlalchemy import func, select, update

    paths = (
        SqlExperiment.artifact_location,
        SqlRun.artifact_uri,
        SqlLoggedModel.artifact_location,
        SqlModelVersion.source,
        SqlModelVersion.storage_location,
    )
    with sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool).begin() as connection:
        for name, old in connection.execute(select(SqlExperiment.name, SqlExperiment.artifact_location)).all():
            new = _location(artifact_dir, name)
            if old != new and (artifact_dir / name).is_dir():
                for path in paths:
                    inside = (path == old) | path.startswith(f"{old}/", autoescape=True)
                    change = update(path.class_).where(inside).values({path: func.replace(path, old, new)})
                    connection.execute(change)


def _location(artifact_dir: Path, experiment: str) -> str:
    return (artifact_dir / experiment).absolute().as_uri()


def _quieten() -> None:
    """No telemetry, no bars, no talk of migrations, and no four minutes of asking a server that is gone."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    import mlflow  # noqa: F401, it reads the environment and sets up its loggers here

    for name, level in (("mlflow", "WARNING"), ("mlflow.store.db.utils", "CRITICAL"), ("urllib3", "ERROR")):
        logging.getLogger(name).setLevel(level)
