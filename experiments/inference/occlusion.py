"""Explain a prediction by occlusion: how much each part of the image contributes to it."""

import cv2
import numpy as np

from experiments.inference.tta import Model

PATCH, STEP = 6, 2  # px: side of the occluded patch, and from one position to the next
FOR, AGAINST = (0, 114, 178), (213, 94, 0)  # blue and vermilion, distinguishable with any colour vision


def occlusion(model: Model, image: np.ndarray, output: int) -> np.ndarray:
    """How much an output's log-likelihood drops when part of an image uint8 [H, W, C] is occluded: float32 [H, W].

    In nats; positive where the part supports the output. Patches get the median colour, which is a drawing's paper;
    where the image has it already the result is 0.
    """
    height, width = image.shape[:2]
    background = np.median(image, axis=(0, 1)).astype(np.uint8)
    corners = [
        (top, left)
        for top in range(-PATCH // 2, height, STEP)
        for left in range(-PATCH // 2, width, STEP)
        if (image[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] != background).any()
    ]
    occluded = np.repeat(image[np.newaxis], len(corners) + 1, axis=0)
    for copy, (top, left) in zip(occluded[1:], corners, strict=True):
        copy[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] = background
    likelihood = np.log(np.maximum(model(occluded)[:, output], 1e-6))
    total, count = np.zeros((2, height, width), np.float32)
    for (top, left), drop in zip(corners, likelihood[0] - likelihood[1:], strict=True):
        total[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] += drop
        count[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] += 1
    mean: np.ndarray = total / np.maximum(count, 1)
    return mean


def overlay(image: np.ndarray, relevance: np.ndarray, zoom: int = 12) -> np.ndarray:
    """Colour an image uint8 [H, W, C] by relevance float32 [H, W]: uint8 [zoom * H, zoom * W, 3].

    Blue supports the answer and vermilion contradicts it, over grey ink on paper or a pale grey photo.
    """
    size = (image.shape[1] * zoom, image.shape[0] * zoom)
    grey = cv2.resize(image.mean(axis=2).astype(np.float32) / 255, size, interpolation=cv2.INTER_NEAREST)
    ink = grey if image.shape[2] == 1 else 1 - grey  # one channel is ink, three are light
    strength = cv2.resize(relevance, size, interpolation=cv2.INTER_CUBIC)
    strength = np.clip(strength / max(np.abs(strength).max(), 0.1), -1, 1)[..., np.newaxis]
    paper = 255 - 150 * ink[..., np.newaxis]
    colour = np.where(strength > 0, np.array(FOR), np.array(AGAINST))
    opacity = 0.85 * np.abs(strength)
    blended: np.ndarray = paper * (1 - opacity) + colour * opacity
    return blended.round().astype(np.uint8)
