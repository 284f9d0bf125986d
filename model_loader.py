"""The Production model as a Classifier, and where it came from: the registry, or the bundle shipped in models/."""

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
from experiments.registry.store import TrackingStore
from settings import Settings

__all__ = ["Classifier", "ModelError", "load", "load_all"]


def load(dataset: str, settings: Settings) -> "Classifier":
    """The model to start with: the last Production export on this machine, else the shipped bundle.

    The registry itself is asked by refresh(), since that takes seconds. Raises ModelError when there is neither.
    """
    return Classifier(SPECS[dataset], settings)


def load_all(settings: Settings) -> dict[str, "Classifier"]:
    """The models of all data sets, by their names; one that has none is told in a line. Raises ModelError when even
    the first, the one that is meant where none is named, has none."""
    first, *others = SPECS
    found = {first: load(first, settings)}
    for dataset in others:
        try:
            found[dataset] = load(dataset, settings)
        except ModelError as error:
            _log().warning("%s", error)
    return found


class Classifier:
    """Answers for images and drawings, from any thread; refresh() changes the model between two answers."""

    def __init__(self, spec: DatasetSpec, settings: Settings) -> None:
        self._spec, self._settings = spec, settings
        self._asked: object = None  # state of the store when it last answered
        self._complaint = ""
        self._serving, self.since = self._start(), time.time()
        """`since`: when the model that answers now was taken up, in seconds since 1970."""
        _log().info("Answers come from %s.", self.describe())

    @property
    def bundle(self) -> Bundle:
        """The model that answers now."""
        return self._serving.bundle

    @property
    def source(self) -> Literal["registry", "shipped"]:
        """Where that model came from."""
        return self._serving.source

    def describe(self) -> str:
        """One line: which model, how good on the test set, how old, where from."""
        serving, bundle = self._serving, self._serving.bundle
        figures = (
            ("test_accuracy", f"on the {self._spec.name.upper()} test set"),
            ("drawn_accuracy", "on drawings it has not seen"),
        )
        parts = (
            f"{self._spec.registered_model} version {bundle.version}",
            *(f"{100 * bundle.metrics[name]:.2f} % {where}" for name, where in figures if name in bundle.metrics),
            f"trained {bundle.trained_at[:10]} ({serving.source})",
        )
        return ", ".join(filter(None, parts))

    def predict(self, images: np.ndarray) -> list[Prediction]:
        """images: uint8 [N, H, W, C], prepared as the data set's own are. Raises ValueError for others."""
        serving = self._serving  # refresh() may replace it meanwhile
        bundle = serving.bundle
        return predictions.predict(serving.model, images, self._spec, bundle.thresholds, bundle.version)

    def explain(self, image: np.ndarray) -> np.ndarray:
        """image: uint8 [H, W, C] as in an answer. Returns uint8 [h, w, 3]: what of it speaks for the likeliest answer,
        none of the classes among them, and what against."""
        model = self._serving.model
        output = int(predict_with_tta(model, image[np.newaxis], self._spec.views)[0].argmax())
        return overlay(image, occlusion(model, image, output))

    def refresh(self) -> bool:
        """Take up the registry's Production model if it is another one; cheap while the store is unchanged.

        Returns whether it did. Whatever goes wrong is logged in a line, and the old model goes on answering.
        """
        try:
            state = _state(self._settings.mlflow_tracking_uri)
            if state is None or state == self._asked:
                return False
            taken = self._take_up()
        except Exception as error:  # the page must outlive whatever the store is going through
            self._complain(error)
            return False
        self._asked, self._complaint = state, ""
        return taken

    def _take_up(self) -> bool:
        store = TrackingStore.of(self._settings)
        pulled = production.pull(store, self._spec)
        if pulled is None or (self.source == "registry" and pulled == self.bundle):
            return False
        self._serving, self.since = _Serving.checked(pulled, "registry", self._spec), time.time()
        _log().info("Answers come from %s now.", self.describe())
        return True

    def _start(self) -> "_Serving":
        exports = bundles.exports_of(self._settings.artifact_dir, self._spec.name)
        try:
            exported = bundles.read_current(exports)
            if exported is not None:
                return _Serving.checked(exported, "registry", self._spec)
        except (BundleError, ModelError) as error:
            _log().warning("The last Production model is left aside: %s", error)
        try:
            shipped = bundles.read(self._settings.models_dir / self._spec.name)
            return _Serving.checked(shipped, "shipped", self._spec)
        except (BundleError, ModelError) as error:
            advice = "Or make a model with `python -m experiments`."
            raise ModelError(f"There is no {self._spec.name} model to answer with: {error} {advice}") from error

    def _complain(self, error: Exception) -> None:
        complaint = str(error).partition("\n")[0]
        if complaint != self._complaint:  # once, not every few seconds
            _log().warning("No news of the registry, %s goes on: %s", self.describe(), complaint)
        self._complaint = complaint


@dataclass(frozen=True)
class _Serving:
    bundle: Bundle
    source: Literal["registry", "shipped"]
    model: LiteRTModel

    @classmethod
    def checked(cls, bundle: Bundle, source: Literal["registry", "shipped"], spec: DatasetSpec) -> "_Serving":
        """Load a verified bundle; ModelError if its model is not one of this data set."""
        model = LiteRTModel(bundle.tflite)
        fits = model.input_shape == spec.image_shape and model.outputs in (len(spec.class_names), spec.outputs)
        if (bundle.dataset, bundle.class_names) != (spec.name, spec.class_names) or not fits:
            raise ModelError(
                f"{bundle.folder} holds a model of {bundle.dataset} that maps {list(model.input_shape)} to "
                f"{model.outputs} outputs; {spec.name} needs {list(spec.image_shape)} to {len(spec.class_names)}. "
                "Restore it from git, or promote another version."
            )
        return cls(bundle, source, model)


def _state(tracking_uri: str) -> object | None:
    """Equal while a SQLite store has not changed; None while there is no store. A server's can't be known."""
    if not tracking_uri.startswith("sqlite:///"):
        return object()
    database = Path(tracking_uri.removeprefix("sqlite:///"))
    files = [path for path in (database, Path(f"{database}-wal")) if path.exists()]
    return [(path.stat().st_mtime_ns, path.stat().st_size) for path in files] or None


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
