"""Many pictures at once: each decoded and prepared as a single one is, the model asked for many of them together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference import litert
from experiments.inference import predictions as inference
from experiments.inference.predictions import Prediction
from experiments.preprocessing.decoding import ImageError, decode_image
from serving.uploads.zips import File

if TYPE_CHECKING:
    from model_loader import Classifier

TOGETHER = litert.CHUNK  # pictures the model is asked for at once
MAX_PIXELS = 2_000_000_000  # of one batch, decoded: some twenty seconds' work

Prepare = Callable[[np.ndarray], np.ndarray | None]
Preview = Callable[[np.ndarray], Any]
"""Makes of decoded pixels, uint8 [H, W, 4], what is kept of them to be shown."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What became of one file: a prediction and what `preview` made of the picture, or an error in words."""

    name: str
    prediction: Prediction | None = None
    error: str = ""
    preview: Any = None


def predict_many(
    classifier: "Classifier", files: Iterable[File], preview: Preview | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[Reading]:
    """One reading for each file, in order; a file that can't be read does not spoil the others."""
    prepare = SPECS[classifier.bundle.dataset].prepare
    prepared = _prepare_all(files, prepare, preview, max_pixels)
    while together := list(islice(prepared, TOGETHER)):
        yield from _ask(classifier, together)


@dataclass(frozen=True, eq=False)
class _Prepared:
    name: str
    error: str = ""
    image: np.ndarray | None = None  # uint8 [H, W, C], None for a blank or an error
    preview: Any = None
    pixels: int = 0  # that were decoded


def _prepare_all(
    files: Iterable[File], prepare: Prepare, preview: Preview | None, max_pixels: int
) -> Iterator[_Prepared]:
    enough = f"The pictures before this one have {max_pixels:,} pixels already. Send the rest in another batch."
    left = max_pixels
    for file in files:
        prepared = _prepare(file, prepare, preview) if left > 0 else _Prepared(file.name, enough)
        left -= prepared.pixels
        yield prepared


def _prepare(file: File, prepare: Prepare, preview: Preview | None) -> _Prepared:
    if file.error:
        return _Prepared(file.name, file.error)
    try:
        pixels = decode_image(file.content)
        image = prepare(pixels)
    except ImageError as error:
        return _Prepared(file.name, str(error))
    return _Prepared(file.name, "", image, preview(pixels) if preview else None, pixels.shape[0] * pixels.shape[1])


def _ask(classifier: "Classifier", together: list[_Prepared]) -> Iterator[Reading]:
    images = [each.image for each in together if each.image is not None]
    predictions = iter(classifier.predict(np.stack(images)) if images else [])
    blank = inference.blank(classifier.bundle.class_names, classifier.bundle.version)
    for each in together:
        if each.error:
            yield Reading(each.name, error=each.error)
        else:
            yield Reading(each.name, blank if each.image is None else next(predictions), "", each.preview)
