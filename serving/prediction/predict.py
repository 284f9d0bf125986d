"""Predictions for encoded pictures in this process: for one at once, or for many in chunks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from PIL import Image

from experiments.inference.litert import CHUNK
from experiments.inference.predictions import Prediction, blank
from model_loader import Classifier
from serving.core.errors import Refused
from serving.prediction.prepare import prepare_picture
from serving.uploads.zips import UploadedFile

MAX_PIXELS = 2_000_000_000  # of one batch, decoded: about 20 s of work
Preview = Callable[[np.ndarray], Image.Image]
"""From decoded pixels, uint8 [H, W, 4], to a thumbnail."""


@dataclass(frozen=True, eq=False)
class FileResult:
    """The outcome of one file of a batch: a prediction, with a preview if one was asked for, or an error."""

    name: str
    prediction: Prediction | None = None
    error: Refused | None = None
    preview: Image.Image | None = None


def predict_images(classifier: Classifier, images: Sequence[np.ndarray | None]) -> list[Prediction]:
    """Predict prepared images, uint8 [h, w, C]; None stands for a blank, which the model is not asked about."""
    inked = [image for image in images if image is not None]
    predictions = iter(classifier.predict(np.stack(inked)) if inked else ())
    bundle = classifier.bundle
    return [blank(bundle.class_names, bundle.version) if image is None else next(predictions) for image in images]


def predict_one(classifier: Classifier, sheets: Sequence[bytes]) -> Prediction:
    """Predict one drawing or photo. sheets: as prepare_picture takes them. Raises Refused."""
    prepared = prepare_picture(classifier.bundle.dataset, sheets)
    if isinstance(prepared, Refused):
        raise prepared
    return predict_images(classifier, [prepared.image])[0]


def predict_many(
    classifier: Classifier,
    files: Iterable[UploadedFile],
    preview: Preview | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[FileResult]:
    """Yield a result for each file, in order; a file that can't be used does not affect the others."""
    prepared = _prepare_all(classifier.bundle.dataset, files, preview, max_pixels)
    while chunk := list(islice(prepared, CHUNK)):
        usable = [image for image, result in chunk if result.error is None]
        predictions = iter(predict_images(classifier, usable))
        for _, result in chunk:
            yield result if result.error else replace(result, prediction=next(predictions))


def _prepare_all(
    dataset: str, files: Iterable[UploadedFile], preview: Preview | None, max_pixels: int
) -> Iterator[tuple[np.ndarray | None, FileResult]]:
    """Yield each file's image, None for a blank or an error, and its result, still without a prediction."""
    message = f"The pictures before this one have {max_pixels:,} pixels already."
    too_many = Refused(413, "too_large", message, "Send the rest in another batch.")
    left = max_pixels
    for file in files:
        refused = file.error or (too_many if left <= 0 else None)
        prepared = refused or prepare_picture(dataset, [file.content])
        if isinstance(prepared, Refused):
            yield None, FileResult(file.name, error=prepared)
        else:
            left -= prepared.pixels[..., 0].size
            yield prepared.image, FileResult(file.name, preview=preview(prepared.pixels) if preview else None)
