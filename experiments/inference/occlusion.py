"""Why an answer came out: what each part of the drawing or photo adds to it."""

from collections.abc import Callable

import cv2
import numpy as np

PATCH, STEP = 6, 2  # px of the image: side of what is wiped out at a time, and from one place to the next
FOR, AGAINST = (0, 114, 178), (213, 94, 0)  # blue and vermilion, told apart with any colour vision


def occlusion(model: Callable[[np.ndarray], np.ndarray], image: np.ndarray, output: int) -> np.ndarray:
    """How much less likely an output gets when a part of the image is wiped out, in nats: float32 [H, W].

    model: images uint8 [N, H, W, C] to probabilities [N, K]; image: uint8 [H, W, C]. Positive: the part speaks for the
    output. Wiped out is what has the median colour, a drawing's paper; where an image has it already it stays 0.
    """
    height, width = image.shape[:2]
    nothing = np.median(image, axis=(0, 1)).astype(np.uint8)
    corners = [
        (top, left)
        for top in range(-PATCH // 2, height, STEP)
        for left in range(-PATCH // 2, width, STEP)
        if (image[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] != nothing).any()
    ]
    wiped = np.repeat(image[np.newaxis], len(corners) + 1, axis=0)
    for copy, (top, left) in zip(wiped[1:], corners, strict=True):
        copy[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] = nothing
    likelihood = np.log(np.maximum(model(wiped)[:, output], 1e-6))
    total, count = np.zeros((2, height, width), np.float32)
    for (top, left), drop in zip(corners, likelihood[0] - likelihood[1:], strict=True):
        total[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] += drop
        count[max(top, 0) : top + PATCH, max(left, 0) : left + PATCH] += 1
    return total / np.maximum(count, 1)


def overlay(image: np.ndarray, relevance: np.ndarray, zoom: int = 12) -> np.ndarray:
    """image: uint8 [H, W, C]; relevance: float32 [H, W]. Returns uint8 [zoom H, zoom W, 3]: grey ink on paper, or the
    photo in pale grey, under colour: blue where it speaks for the answer and vermilion where it speaks against."""
    size = (image.shape[1] * zoom, image.shape[0] * zoom)
    grey = cv2.resize(image.mean(axis=2).astype(np.float32) / 255, size, interpolation=cv2.INTER_NEAREST)
    ink = grey if image.shape[2] == 1 else 1 - grey  # one channel says how much ink there is, three how much light
    strength = cv2.resize(relevance, size, interpolation=cv2.INTER_CUBIC)
    strength = np.clip(strength / max(np.abs(strength).max(), 0.1), -1, 1)[..., np.newaxis]
    paper = 255 - 150 * ink[..., np.newaxis]
    colour = np.where(strength > 0, np.array(FOR), np.array(AGAINST))
    opacity = 0.85 * np.abs(strength)
    return (paper * (1 - opacity) + colour * opacity).round().astype(np.uint8)
