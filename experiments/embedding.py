"""Has a Keras model explain itself: its answers to the test set, and where the layer before them puts the images."""

from collections.abc import Sequence

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec
from experiments.evaluation import held_out
from experiments.evaluation.drawings import Outcome
from experiments.inference import drift_reference
from experiments.inference.bundle import TFLITE, Bundle
from experiments.inference.tta import look_again
from experiments.insights import figures as insights
from experiments.insights.figures import Epoch
from experiments.insights.measuring import measure


def explain(
    bundle: Bundle,
    dataset: Dataset,
    outputs: np.ndarray,
    hidden: np.ndarray,
    outcome: Outcome | None,
    curves: Sequence[Epoch],
) -> None:
    """Writes the figures of a calibrated model, and the reference for its traffic, into its bundle. outputs, hidden:
    of the test set, as `embed` gives them; outcome: of drawings, if the data set has them."""
    sha256 = bundle.sha256[TFLITE]
    figures, tiles = measure(dataset, outputs, hidden, outcome=outcome, curves=curves, model_sha256=sha256)
    insights.write(figures, tiles, bundle.folder)
    drift_reference.write(drift_reference.measure(dataset.test.images, outputs, len(bundle.class_names)), bundle.folder)


def explain_bundle(bundle: Bundle, dataset: Dataset, curves: Sequence[Epoch]) -> None:
    """The same for a model that was measured before."""
    model = keras.saving.load_model(bundle.keras, compile=False, safe_mode=True)
    outcome = None
    if dataset.spec.refuses:
        outcome = held_out.grade(model, held_out.drawings(), bundle.thresholds, dataset.spec)
    explain(bundle, dataset, *embed(model, dataset.test.images, dataset.spec), outcome, curves)


def embed(model: keras.Model, images: np.ndarray, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """images: uint8 [N, H, W, C]. Returns outputs as served, float32 [N, K or more], and what the layer before makes of
    each image at first sight, float32 [N, D]."""
    both = keras.Model(model.inputs, [model.outputs[0], model.layers[-1].input])
    outputs, hidden = both.predict(images, batch_size=500, verbose=0)
    outputs = look_again(held_out.asked(model), images, outputs, spec.views)
    return outputs, hidden.reshape(len(images), -1)
