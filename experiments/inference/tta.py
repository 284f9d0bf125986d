"""A doubtful image is looked at again, changed in ways that its class survives: the mean of the answers errs less."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.data.specs import View

Model = Callable[[np.ndarray], np.ndarray]
"""From images uint8 [N, H, W, C] to outputs float32 [N, K]."""

DOUBTFUL = 0.95  # the likeliest output's probability below which an image is; twice as many looks for 0.98 gain nothing


def predict_with_tta(model: Model, images: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """images: uint8 [N, H, W, C]. Returns outputs float32 [N, K], each image's own whatever comes with it."""
    return refine_with_tta(model, images, model(images), views)


def refine_with_tta(model: Model, images: np.ndarray, outputs: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """The same for images that the model has seen once. outputs: float32 [N, K], which stay as they are."""
    doubtful = outputs.max(axis=1) < DOUBTFUL
    if not views or not doubtful.any():
        return outputs
    settled = outputs.copy()
    looks = [outputs[doubtful], *(model(view(images[doubtful])) for view in views)]
    settled[doubtful] = np.mean(looks, axis=0)
    return settled
