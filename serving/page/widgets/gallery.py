"""Images of a data set as HTML, small and sharp, alone or with captions."""

import html
from collections.abc import Iterable, Sequence

import numpy as np

from experiments.data.specs import SPECS
from experiments.insights.figures import Picture
from experiments.insights.html_tables import Html
from serving.core.images import data_url


def gallery(pictures: Iterable[tuple[np.ndarray, str]]) -> str:
    """HTML of images uint8 [H, W, C] with captions, which are their alternative texts too."""
    figures = (
        f'<figure><img alt="{html.escape(caption)}" src="{data_url(image)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for image, caption in pictures
    )
    return f'<div class="pictures">{"".join(figures)}</div>'


def prediction_gallery(pictures: Iterable[Picture], tiles: np.ndarray, class_names: Sequence[str]) -> str:
    """A gallery of test images with their labels and predictions. tiles: uint8 [T, H, W, C]."""
    return gallery((tiles[picture.tile], _caption(picture, class_names)) for picture in pictures)


def stored_image(pixels: bytes | None, dataset: str) -> Html:
    """An <img> of pixels kept with an answer, uint8 [H, W, C] of the data set; empty for a blank, which has none."""
    if pixels is None or dataset not in SPECS:
        return Html()
    image = np.frombuffer(pixels, np.uint8).reshape(SPECS[dataset].image_shape)
    return Html(f'<img alt="what the model saw" src="{data_url(image)}">')


def _caption(picture: Picture, class_names: Sequence[str]) -> str:
    label, predicted = class_names[picture.true], class_names[picture.predicted]
    answer = label if label == predicted else f"{label}, answered {predicted}"
    return f"{answer}, {100 * picture.confidence:.0f} %" + (f" ({picture.note})" if picture.note else "")
