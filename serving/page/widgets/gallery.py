"""Images of a data set as HTML, small and sharp, alone or with captions."""

import html
from collections.abc import Iterable, Sequence

import numpy as np

from experiments.data.specs import SPECS
from experiments.insights.figures import Picture
from experiments.insights.html_tables import Html
from serving.core.images import data_url, kept_images

SHOWN = 25  # images of the digits of one number


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
    """An <img> for each image kept with an answer, uint8 [H, W, C] of the data set: of a number one for each digit, up
    to SHOWN; empty for a blank, which has none."""
    if pixels is None or dataset not in SPECS:
        return Html()
    images = kept_images(pixels, dataset)
    more = f" and {len(images) - SHOWN:,} more" if len(images) > SHOWN else ""
    shown = "".join(f'<img alt="what the model saw" src="{data_url(image)}">' for image in images[:SHOWN])
    return Html(f"{shown}{more}")


def _caption(picture: Picture, class_names: Sequence[str]) -> str:
    label, predicted = class_names[picture.true], class_names[picture.predicted]
    answer = label if label == predicted else f"{label}, answered {predicted}"
    return f"{answer}, {100 * picture.confidence:.0f} %" + (f" ({picture.note})" if picture.note else "")
