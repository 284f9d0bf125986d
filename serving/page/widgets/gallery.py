"""Pictures of a data set as part of a page, small and sharp, with a caption each."""

import html
from collections.abc import Iterable, Sequence

import numpy as np

from experiments.insights.figures import Picture
from serving.core.images import data_url


def gallery(pictures: Iterable[tuple[np.ndarray, str]]) -> str:
    """HTML of images uint8 [H, W, C] with their captions, which are read out too."""
    figures = (
        f'<figure><img alt="{html.escape(caption)}" src="{data_url(image)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for image, caption in pictures
    )
    return f'<div class="pictures">{"".join(figures)}</div>'


def prediction_gallery(pictures: Iterable[Picture], tiles: np.ndarray, class_names: Sequence[str]) -> str:
    """The same of test images, with label and answer. tiles: uint8 [T, H, W, C]."""
    return gallery((tiles[each.tile], _caption(each, class_names)) for each in pictures)


def _caption(picture: Picture, class_names: Sequence[str]) -> str:
    true, predicted = class_names[picture.true], class_names[picture.predicted]
    answer = true if true == predicted else f"{true}, answered {predicted}"
    return f"{answer}, {100 * picture.confidence:.0f} %" + (f" ({picture.note})" if picture.note else "")
