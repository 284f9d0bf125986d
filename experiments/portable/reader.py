"""Read the pictures in a table, one reading a row, as MLflow serves and scores a model."""

import base64
import binascii
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from experiments.data.specs import SPECS, DatasetSpec
from experiments.inference import bundle as bundles
from experiments.inference import predictions
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction
from experiments.inference.readings import reading
from experiments.numbers.sheets import read_sheet, size_as_sent
from experiments.preprocessing.decoding import ImageError, decode_image

IMAGE = "image"
"""Column of encoded pictures."""
PIXELS = "pixels"
"""Column of prepared images: rows of grey values, or of colours, from 0 to 255."""
ERROR = "error"
"""The verdict on a row that can't be read, and the column that says why."""


class PictureReader:
    """Reads tables with the model of a bundle; a row that can't be read does not affect the others."""

    def __init__(self, bundle: Bundle, spec: DatasetSpec) -> None:
        self._bundle, self._spec, self._model = bundle, spec, LiteRTModel(bundle.tflite)

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """The reading of each row, as the JSON API has it, and the column `error`. Raises MlflowException for a table
        with neither column."""
        columns = [name for name in (IMAGE, PIXELS) if name in model_input]
        if not columns:
            from mlflow.exceptions import MlflowException  # takes seconds, like all of MLflow

            raise MlflowException.invalid_parameter_value(f"The table has neither a column {IMAGE} nor {PIXELS}.")
        rows = model_input[columns].to_dict("records")
        return pd.DataFrame([self._row(row) for row in rows], index=model_input.index, dtype=object)

    def _row(self, row: dict[Any, Any]) -> dict[str, Any]:
        image, pixels = (value if _is_given(value) else None for value in (row.get(IMAGE), row.get(PIXELS)))
        try:
            if (image is None) == (pixels is None):
                raise ImageError(f"A row has either {IMAGE} or {PIXELS}.", "Fill one of the two.")
            answer = self._prepared(pixels) if image is None else self._picture(image)
        except ImageError as error:
            return _unread(str(error))
        except (MemoryError, cv2.error):  # the latter where OpenCV gets no memory
            return _unread("The picture takes too much memory. Send a smaller one.")
        return {**reading(answer, self._bundle.class_names), ERROR: None}

    def _picture(self, image: Any) -> Prediction:
        picture = _as_bytes(image)
        pixels = decode_image(picture)
        if self._spec.has_numbers:
            return read_sheet(pixels, self._predict, self._spec, size_as_sent(picture, pixels))
        (answer,) = self._predict([self._spec.prepare(pixels)])
        return answer

    def _prepared(self, pixels: Any) -> Prediction:
        height, width, channels = self._spec.image_shape
        shape = (height, width) if channels == 1 else self._spec.image_shape
        try:
            values = np.array(pixels.tolist() if isinstance(pixels, np.ndarray) else pixels)
        except ValueError:  # rows of different lengths
            values = np.empty(0)
        fits = values.shape == shape and values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255
        if not fits:
            text = " × ".join(map(str, shape))
            raise ImageError(f"{PIXELS} must be {text} whole numbers from 0 to 255.", f"Or send {IMAGE}.")
        image = values.astype(np.uint8).reshape(self._spec.image_shape)
        (answer,) = self._predict([image if np.ptp(image) else None])
        return answer

    def _predict(self, images: Sequence[np.ndarray | None]) -> list[Prediction]:
        """images: uint8 [H, W, C]; None stands for a blank."""
        bundle = self._bundle
        asked = partial(
            predictions.predict, self._model, spec=self._spec, thresholds=bundle.thresholds, version=bundle.version
        )
        return predictions.with_blanks(images, asked, bundle.class_names, bundle.version)


def load(folder: Path) -> PictureReader:
    """The reader of the bundle in a folder. Raises BundleError and ModelError."""
    bundle = bundles.read(folder)
    return PictureReader(bundle, SPECS[bundle.dataset])


def _load_pyfunc(path: str) -> PictureReader:
    """What MLflow calls."""
    return load(Path(path))


def _unread(message: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"candidates": [], "confidences": {}, "digits": []}
    return {"label": None, "text": None, "verdict": ERROR, "confidence": 0.0, **nothing, ERROR: message}


def _as_bytes(image: Any) -> bytes:
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    try:
        return base64.b64decode(image, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ImageError(f"{IMAGE} is no encoded picture, as bytes or in base64.", "Send the file's content.") from None


def _is_given(value: Any) -> bool:
    """Whether a cell holds something: pandas fills empty ones with None or NaN."""
    return value is not None and not (isinstance(value, float) and np.isnan(value))
