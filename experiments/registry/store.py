"""The MLflow store with the runs of the experiments; the models registered in it are production.py's."""

import contextlib
import logging
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.registry.locking import migration_lock
from experiments.registry.relocation import artifact_uri, relocate_artifacts
from experiments.registry.run_log import RunLog, RunSummary
from experiments.training.progress import Epoch

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from settings import Settings

# MLflow takes seconds to import, so functions import it.

HURRIED = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "4", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}  # s; tries
CONNECT_SECONDS = 2  # to each address of a server
SILENT_SECONDS = 4.0  # after which a server that has taken a connection does not answer
LOCAL = ("localhost", "127.0.0.0/8", "::1")  # as NO_PROXY has them


class RegistryError(RuntimeError):
    """The store lacks a run or version, or can't be reached. Worded for the operator."""


class RegistryAwayError(RegistryError):
    """The store can't be reached, or does not answer in time."""


class TrackingStore:
    """MLflow's runs and models at `tracking_uri`. Raises RegistryAwayError when it can't be reached.

    A database keeps the artifacts under `artifact_dir`, a tracking server wherever it is configured to.
    """

    def __init__(self, tracking_uri: str, artifact_dir: Path) -> None:
        self.tracking_uri, self.artifact_dir = tracking_uri, artifact_dir
        _bypass_proxies()
        if tracking_uri.startswith("http"):
            check_server(tracking_uri)
        _silence_mlflow()
        with self.translate_errors():
            self.client = _connect(tracking_uri)
            if tracking_uri.startswith("sqlite:"):
                relocate_artifacts(tracking_uri, artifact_dir)

    @classmethod
    def of(cls, settings: "Settings") -> "TrackingStore":
        """The store that the settings name."""
        return cls(settings.mlflow_tracking_uri, settings.artifact_dir)

    @contextlib.contextmanager
    def run(
        self, dataset: str, name: str, reason: str, params: Mapping[str, Any], tags: Mapping[str, str], run_id: str = ""
    ) -> Iterator[RunLog]:
        """A run in the experiment `dataset`: FINISHED when the block ends well, else FAILED, or KILLED by Ctrl-C.

        run_id: of the interrupted run that goes on; a new one starts if the store has it no more.
        """
        import mlflow

        with self.translate_errors():
            mlflow.set_tracking_uri(self.tracking_uri)
            experiment = self._experiment(dataset)
            known = run_id if run_id in {run.run_id for run in self.runs(dataset)} else None
            run = mlflow.start_run(known, experiment, name, description=reason, tags=dict(tags))
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

    def begin_run(self, dataset: str, name: str, reason: str) -> str:
        """Begin a run that goes on until `end_run`, in any process. Return its id."""
        with self.translate_errors():
            tags = {"mlflow.note.content": reason}
            return str(self.client.create_run(self._experiment(dataset), tags=tags, run_name=name).info.run_id)

    def end_run(self, run_id: str, status: str) -> None:
        """End a run of a process that is gone."""
        with self.translate_errors():
            self.client.set_terminated(run_id, status)

    def runs(self, dataset: str) -> list[RunSummary]:
        """All runs of the experiment `dataset`, the oldest first, without their curves."""
        with self.translate_errors():
            experiment = self.client.get_experiment_by_name(dataset)
            if experiment is None:
                return []
            runs = all_pages(self.client.search_runs, [experiment.experiment_id], order_by=["start_time ASC"])
            models = all_pages(self.client.search_model_versions)
        versions = {model.run_id: str(model.version) for model in models}
        return [RunSummary.from_mlflow(run, versions.get(run.info.run_id), self.tracking_uri) for run in runs]

    def finished(self, dataset: str, fingerprints: Collection[str]) -> RunSummary | None:
        """The latest finished run whose tag `fingerprint` is one of these."""
        finished = (run for run in reversed(self.runs(dataset)) if run.status == "FINISHED")
        return next((run for run in finished if run.tags.get("fingerprint") in fingerprints), None)

    def curves(self, run_id: str) -> tuple[Epoch, ...]:
        """A run's epochs, as far as all four figures were logged; none for a run that trained nothing."""
        with self.translate_errors():
            loss, accuracy, val_loss, val_accuracy = (
                {point.step: point.value for point in self.client.get_metric_history(run_id, name)}
                for name in ("loss", "accuracy", "val_loss", "val_accuracy")
            )
        epochs = sorted(loss.keys() & accuracy.keys() & val_loss.keys() & val_accuracy.keys())
        return tuple(Epoch(n, loss[n], accuracy[n], val_loss[n], val_accuracy[n]) for n in epochs)

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Turn the errors of MLflow and its database into RegistryAwayError."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError) as error:
            raise away(self.tracking_uri, str(error)) from error

    def _experiment(self, name: str) -> str:
        known = self.client.get_experiment_by_name(name)
        if known is None:
            location = None if self.tracking_uri.startswith("http") else artifact_uri(self.artifact_dir, name)
            return self.client.create_experiment(name, artifact_location=location)
        if known.lifecycle_stage == "deleted":
            self.client.restore_experiment(known.experiment_id)
        return known.experiment_id


def away(uri: str, reason: str) -> RegistryAwayError:
    """Say that a store can't be used, and why, without the password that its address may hold."""
    message = f"The MLflow store {uri} can't be used: {reason.partition(chr(10))[0][:200]}. "
    advice = "Check MLFLOW_TRACKING_URI, and the server or file that it names."
    return RegistryAwayError(re.sub("//[^@/ ]*@", "//", message) + advice)


def check_server(uri: str) -> None:
    """Find out within seconds whether a tracking server answers, before MLflow is imported and asks for more. Raises
    RegistryAwayError."""
    import requests

    try:
        requests.get(f"{uri.rstrip('/')}/health", timeout=(CONNECT_SECONDS, SILENT_SECONDS), stream=True).close()
    except requests.exceptions.SSLError:
        return  # MLflow may be set to accept it, or says what is wrong
    except requests.exceptions.ProxyError as error:
        raise away(uri, "the proxy does not answer that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names") from error
    except requests.Timeout as error:
        raise away(uri, "it does not answer") from error
    except requests.ConnectionError as error:
        raise away(uri, "there is no connection to it") from error
    except (requests.RequestException, ValueError) as error:  # the address, or a proxy's, is malformed
        raise away(uri, str(error)) from error


def hurry() -> None:
    """Have this process give up on a tracking server that does not answer, in place of minutes of retries. For one that
    asks again anyway, rather than one whose training would be lost."""
    for name, value in HURRIED.items():
        os.environ.setdefault(name, value)


def all_pages(search: Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
    """The results of one of the MLflow client's searches, from all its pages."""
    results, token = [], None
    while token != "":
        page = search(*args, **kwargs, page_token=token)
        results += page
        token = page.token or ""
    return results


def _connect(uri: str) -> "MlflowClient":
    import sqlalchemy
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if not uri.startswith("http"):  # MLflow would retry a database that is not there for 100 s
        bounded = {"connect_timeout": CONNECT_SECONDS} if uri.startswith(("postgresql", "mysql")) else {}
        try:
            sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool, connect_args=bounded).connect().close()
        except ImportError as error:
            raise MlflowException(f"its driver is not installed ({error})") from error
    # Processes that make the tables at the same time fail.
    try:
        with contextlib.nullcontext() if uri.startswith("http") else migration_lock(uri):
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
    except (OSError, ValueError) as error:  # of a lock that can't be written, or a variable that MLflow can't read
        raise MlflowException(str(error)) from error
    return client


def _bypass_proxies() -> None:
    """Have servers on this machine asked directly, whatever proxy other programs use."""
    listed = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    missing = [name for name in LOCAL if name not in listed.split(",")]
    if missing and listed != "*":
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, (listed, *missing)))


def _silence_mlflow() -> None:
    """Switch off telemetry, progress bars and migration messages, and four minutes of retries for a lost server."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    import mlflow  # noqa: F401, it reads the environment and sets up its loggers here

    for name, level in (("mlflow", "WARNING"), ("mlflow.store.db.utils", "CRITICAL"), ("urllib3", "ERROR")):
        logging.getLogger(name).setLevel(level)
