"""A photo becomes one image as CIFAR-10 has them: its middle, as a square of 32 by 32 pixels."""

import numpy as np
from PIL import Image

from experiments.preprocessing.decoding import as_rgba

SIDE = 32  # px of a CIFAR-10 image
EMPTY = 6  # grey levels that a sheet of one colour may differ by, as a JPEG's do


def prepare_photo(pixels: np.ndarray) -> np.ndarray | None:
    """pixels: uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4], any size. Returns uint8 [32, 32, 3].

    The longer side is cut to the middle, which keeps the shape of things where squeezing would not and margins would
    be new to the model; what is transparent is white. None if all is one colour; ImageError as for drawings.
    """
    rgba = as_rgba(pixels)
    height, width = rgba.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = _on_white(rgba[top : top + side, left : left + side])
    # Antialiased, unlike OpenCV's; in two steps where the photo is large.
    square = square.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3)
    prepared = np.asarray(square)
    return None if np.ptp(prepared, axis=(0, 1)).max() <= EMPTY else prepared


def _on_white(rgba: np.ndarray) -> Image.Image:
    image = Image.fromarray(rgba)
    if rgba[..., 3].min() < 255:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
