"""The Production model as a Classifier: from the registry, or else the bundle shipped in models/."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from experiments.data.specs import SPECS, DatasetSpec
from experiments.inference import bundle as bundles
from experiments.inference import predictions
from experiments.inference.bundle import Bundle, BundleError
from experiments.inference.litert import LiteRTModel, ModelError
from experiments.inference.occlusion import occlusion, overlay
from experiments.inference.predictions import Prediction
from experiments.inference.tta import predict_with_tta
from experiments.registry import production
from experiments.registry.locking import sqlite_file
from experiments.registry.store import RegistryAwayError, TrackingStore
from settings import Settings

__all__ = ["Classifier", "ModelError", "load", "load_all"]

Source = Literal["registry", "shipped"]


def load(dataset: str, settings: Settings) -> "Classifier":
    """The model to start with: the last Production export on this machine, else the shipped bundle.

    Reading the registry takes seconds and is left to refresh(). Raises ModelError when there is neither.
    """
    return Classifier(SPECS[dataset], settings)


def load_all(settings: Settings) -> dict[str, "Classifier"]:
    """The models of all data sets by name; a missing one is logged. Raises ModelError when the first is missing, which
    requests that name no data set are for."""
    first, *others = SPECS
    classifiers = {first: load(first, settings)}
    for dataset in others:
        try:
            classifiers[dataset] = load(dataset, settings)
        except ModelError as error:
            _log().warning("%s", error)
    return classifiers


class Classifier:
    """Classifies images, from any thread; refresh() may change the model between two calls."""

    def __init__(self, spec: DatasetSpec, settings: Settings) -> None:
        self._spec, self._settings = spec, settings
        self._store_state: object = None  # at the last successful refresh
        self._complaint = ""
        self._loaded, self.since = self._load(), time.time()
        """`since`: when the present model was loaded, in seconds since 1970."""
        _log().info("Answers come from %s.", self.describe())

    @property
    def bundle(self) -> Bundle:
        """The present model."""
        return self._loaded.bundle

    @property
    def source(self) -> Source:
        """Where it came from."""
        return self._loaded.source

    def describe(self) -> str:
        """One line: which model, how good on the test set, how old, where from."""
        bundle, source = self._loaded.bundle, self._loaded.source
        figures = (
            ("test_accuracy", f"on the {self._spec.name.upper()} test set"),
            ("drawn_accuracy", "on drawings it has not seen"),
        )
        parts = (
            f"{self._spec.registered_model} version {bundle.version}",
            *(f"{100 * bundle.metrics[name]:.2f} % {where}" for name, where in figures if name in bundle.metrics),
            f"trained {bundle.trained_at[:10]} ({source})",
        )
        return ", ".join(parts)

    def predict(self, images: np.ndarray) -> list[Prediction]:
        """images: uint8 [N, H, W, C], prepared like the data set's own. Raises ValueError for others."""
        loaded = self._loaded  # refresh() may replace it meanwhile
        return predictions.predict(loaded.model, images, self._spec, loaded.bundle.thresholds, loaded.bundle.version)

    def explain(self, image: np.ndarray) -> np.ndarray:
        """image: uint8 [H, W, C] as in an answer. Returns uint8 [h, w, 3]: which of its parts speak for and against the
        likeliest output, the reject class included."""
        model = self._loaded.model
        output = int(predict_with_tta(model, image[np.newaxis], self._spec.views)[0].argmax())
        return overlay(image, occlusion(model, image, output))

    def refresh(self) -> bool:
        """Load the registry's Production model if it is another one; cheap while the store is unchanged.

        Returns whether it did. Raises RegistryAwayError when the store can't be asked; any other failure is logged in
        one line. The present model stays either way.
        """
        try:
            state = _store_state(self._settings.mlflow_tracking_uri)
            if state is None or state == self._store_state:
                return False
            changed = self._follow_registry()
        except RegistryAwayError:
            raise
        except Exception as error:  # the page must survive any fault of the store
            self._complain(error)
            return False
        self._store_state, self._complaint = state, ""
        return changed

    def _follow_registry(self) -> bool:
        pulled = production.pull(TrackingStore.of(self._settings), self._spec)
        if pulled is None or (self.source == "registry" and pulled == self.bundle):
            return False
        self._loaded, self.since = _LoadedModel.of(pulled, "registry", self._spec), time.time()
        _log().info("Answers come from %s now.", self.describe())
        return True

    def _load(self) -> "_LoadedModel":
        try:
            exported = bundles.read_current(bundles.exports_of(self._settings.artifact_dir, self._spec.name))
            if exported is not None:
                return _LoadedModel.of(exported, "registry", self._spec)
        except (BundleError, ModelError) as error:
            _log().warning("The last Production model is not used: %s", error)
        try:
            shipped = bundles.read(self._settings.models_dir / self._spec.name)
            return _LoadedModel.of(shipped, "shipped", self._spec)
        except (BundleError, ModelError) as error:
            advice = "Or make a model with `python -m experiments`."
            raise ModelError(f"There is no {self._spec.name} model to answer with: {error} {advice}") from error

    def _complain(self, error: Exception) -> None:
        complaint = str(error).partition("\n")[0]
        if complaint != self._complaint:  # once, not every few seconds
            _log().warning("The registry can't be read, %s stays: %s", self.describe(), complaint)
        self._complaint = complaint


@dataclass(frozen=True)
class _LoadedModel:
    bundle: Bundle
    source: Source
    model: LiteRTModel

    @classmethod
    def of(cls, bundle: Bundle, source: Source, spec: DatasetSpec) -> "_LoadedModel":
        """Load a verified bundle. Raises ModelError if its model is not one of this data set."""
        model = LiteRTModel(bundle.tflite)
        fits = model.input_shape == spec.image_shape and model.outputs in (len(spec.class_names), spec.outputs)
        if (bundle.dataset, bundle.class_names) != (spec.name, spec.class_names) or not fits:
            raise ModelError(
                f"{bundle.folder} holds a model of {bundle.dataset} that maps {list(model.input_shape)} to "
                f"{model.outputs} outputs; {spec.name} needs {list(spec.image_shape)} to {len(spec.class_names)}. "
                "Restore it from git, or promote another version."
            )
        return cls(bundle, source, model)


def _store_state(tracking_uri: str) -> object | None:
    """Equal while a SQLite store is unchanged, None while it does not exist; never equal for a server's."""
    database = sqlite_file(tracking_uri)
    if database is None:
        return object()
    files = [path for path in (database, Path(f"{database}-wal")) if path.exists()]
    return [(path.stat().st_mtime_ns, path.stat().st_size) for path in files] or None


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
