"""Prepare a photo as an image like CIFAR-10's: its middle square at 32 by 32 pixels."""

import numpy as np
from PIL import Image

from experiments.preprocessing.decoding import as_rgba

SIDE = 32  # px of a CIFAR-10 image
EMPTY = 6  # grey levels within which a picture counts as one colour; a JPEG's vary


def prepare_photo(pixels: np.ndarray) -> np.ndarray | None:
    """Prepare pixels uint8 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of any size: uint8 [32, 32, 3].

    The longer side is cropped to the middle, since squeezing would distort things, and the model knows no margins.
    Transparent pixels become white. None if all is one colour. Raises ImageError as for drawings.
    """
    rgba = as_rgba(pixels)
    height, width = rgba.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = _on_white(rgba[top : top + side, left : left + side])
    # Antialiased, unlike OpenCV's; in two steps if the photo is large.
    square = square.resize((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=3)
    prepared = np.asarray(square)
    return None if np.ptp(prepared, axis=(0, 1)).max() <= EMPTY else prepared


def _on_white(rgba: np.ndarray) -> Image.Image:
    image = Image.fromarray(rgba)
    if rgba[..., 3].min() < 255:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")
