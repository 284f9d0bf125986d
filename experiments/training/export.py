"""Export a trained Keras model as a bundle, after checking that LiteRT gives the same answers."""

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec
from experiments.evaluation.held_out import as_function
from experiments.inference import bundle
from experiments.inference.bundle import Bundle, BundleError
from experiments.inference.litert import LiteRTModel, ModelError
from experiments.inference.predictions import Thresholds

COMPARED = 1_000  # test images on which Keras and LiteRT must agree
TOLERANCE = 1e-4
"""Largest difference of probabilities between Keras and LiteRT, which both compute in float32."""


class ExportError(BundleError):
    """A model can't be exported; the message is for the person who trains it."""


def export(
    model: keras.Model,
    folder: Path,
    dataset: Dataset,
    metrics: Mapping[str, float],
    thresholds: Thresholds,
    run_id: str,
    *,
    trained_at: str,
) -> Bundle:
    """Write `model` to `folder` as a bundle without a version, atomically. Raises ExportError.

    model: raw values [N, H, W, C] to calibrated probabilities float32 [N, spec.outputs]. trained_at: ISO 8601.
    """
    spec = dataset.spec
    _check(model, spec)
    with bundle.new_folder(folder) as unfinished:
        bare = _without_optimizer(model, unfinished / bundle.KERAS)
        with contextlib.redirect_stdout(io.StringIO()):  # the converter prints its endpoints
            bare.export(unfinished / bundle.TFLITE, format="litert", verbose=False)
        _compare(bare, unfinished / bundle.TFLITE, dataset.test.images[:COMPARED])
        exported = Bundle(
            folder=unfinished,
            dataset=spec.name,
            version="",
            run_id=run_id,
            trained_at=trained_at,
            data_digest=dataset.digest,
            class_names=spec.class_names,
            metrics=dict(metrics),
            thresholds=thresholds,
            sha256={name: bundle.sha256(unfinished / name) for name in bundle.MODEL_FILES},
            input_shape=spec.image_shape,
        )
        bundle.write_manifest(exported)
    return bundle.read(folder)


def _check(model: keras.Model, spec: DatasetSpec) -> None:
    if '"class_name": "Lambda"' in model.to_json():
        raise ExportError("The model has a Lambda layer, which runs code on loading. Use another layer.")
    if model.input_shape != (None, *spec.image_shape) or model.output_shape[-1] != spec.outputs:
        raise ExportError(
            f"The model maps {model.input_shape} to {model.output_shape}, but {spec.name} needs "
            f"{(None, *spec.image_shape)} to {(None, spec.outputs)}."
        )


def _without_optimizer(model: keras.Model, path: Path) -> keras.Model:
    """Save the model without the optimizer's state, twice the size of the weights, which Keras always saves."""
    model.save(path)
    bare = keras.saving.load_model(path, compile=False, safe_mode=True)
    bare.save(path)
    return bare


def _compare(model: keras.Model, tflite: Path, images: np.ndarray) -> None:
    expected = as_function(model)(images)
    try:
        actual = LiteRTModel(tflite)(images)
    except ModelError as error:
        raise ExportError(f"{error} Use layers that LiteRT has, in float32.") from error
    difference = np.abs(expected - actual).max()
    if not difference <= TOLERANCE:
        raise ExportError(
            f"LiteRT and Keras differ by up to {difference:.2g} (at most {TOLERANCE} is allowed). "
            "Export a model that computes in float32."
        )
