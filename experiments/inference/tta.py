"""Test-time augmentation: average the outputs for doubtful images over views that keep their class."""

from collections.abc import Callable, Sequence

import numpy as np

from experiments.data.specs import View

Model = Callable[[np.ndarray], np.ndarray]
"""Maps images uint8 [N, H, W, C] to outputs float32 [N, K]."""

DOUBTFUL = 0.95  # highest probability below which an image is; 0.98 would double the views and gain nothing


def predict_with_tta(model: Model, images: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """Predict images uint8 [N, H, W, C]: outputs float32 [N, K], each independent of the rest of the batch."""
    return refine_with_tta(model, images, model(images), views)


def refine_with_tta(model: Model, images: np.ndarray, outputs: np.ndarray, views: Sequence[View]) -> np.ndarray:
    """Average in the views of doubtful images, given the model's outputs float32 [N, K], which are not modified."""
    doubtful = outputs.max(axis=1) < DOUBTFUL
    if not views or not doubtful.any():
        return outputs
    refined = outputs.copy()
    refined[doubtful] = np.mean([outputs[doubtful], *(model(view(images[doubtful])) for view in views)], axis=0)
    return refined
