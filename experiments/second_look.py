"""A doubtful image is looked at again, changed in ways that its class survives: the mean of the answers errs less."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

Model = Callable[[np.ndarray], np.ndarray]
"""From images uint8 [N, H, W, C] to outputs float32 [N, K]."""
View = Callable[[np.ndarray], np.ndarray]
"""From images uint8 [N, H, W, C] to the same ones seen otherwise."""

DOUBTFUL = 0.95  # the likeliest output's probability below which an image is; twice as many looks for 0.98 gain nothing


def look(model: Model, images: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """images: uint8 [N, H, W, C]. Returns outputs float32 [N, K], each image's own whatever comes with it."""
    return look_again(model, images, model(images), views)


def look_again(model: Model, images: np.ndarray, outputs: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """The same for images that the model has seen once. outputs: float32 [N, K], which stay as they are."""
    doubtful = outputs.max(axis=1) < DOUBTFUL
    if not views or not doubtful.any():
        return outputs
    settled = outputs.copy()
    looks = [outputs[doubtful], *(model(view(images[doubtful])) for view in views)]
    settled[doubtful] = np.mean(looks, axis=0)
    return settled


def slant(images: np.ndarray, by: float) -> np.ndarray:
    """images: uint8 [N, H, W, 1]; by: px to the right a px downwards. Returns uint8 [N, H, W, 1], the middle kept."""
    height, width = images.shape[1:3]
    matrix = np.array([[1, by, -by * (height - 1) / 2], [0, 1, 0]])
    return np.stack([cv2.warpAffine(image, matrix, (width, height)) for image in images])[..., np.newaxis]
