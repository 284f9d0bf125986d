"""What a run logged of its model: the bundle, and MLflow's model of it, which is made where it is missing."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.data.specs import DatasetSpec
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle, BundleError
from experiments.registry import models
from experiments.registry.models import BUNDLE
from experiments.registry.store import RegistryError, TrackingStore


def model_of(store: TrackingStore, spec: DatasetSpec, run_id: str) -> str:
    """The id of a run's model, which is made of its bundle where the run logged none with the code of today."""
    if (model_id := models.logged(store.client, run_id)) is not None:
        return model_id
    with logged_bundle(store, run_id, f"A version of {spec.registered_model}") as bundle:
        return models.log(store.client, run_id, bundle.folder, spec)


@contextlib.contextmanager
def logged_bundle(store: TrackingStore, run_id: str, made: str) -> Iterator[Bundle]:
    """A copy of a run's bundle for the block. Raises RegistryError, which says what can't be made, if one of both
    fails."""
    from mlflow.exceptions import MlflowException

    try:
        with tempfile.TemporaryDirectory() as scratch:
            yield bundles.read(Path(store.client.download_artifacts(run_id, BUNDLE, scratch)))
    except (BundleError, MlflowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise RegistryError(
            f"{made} can't be exported from its run {run_id}: {reason} "
            "Promote another version, or train it again with `python -m experiments`."
        ) from error
