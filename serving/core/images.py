"""Images as PNG, and as the data URLs by which the page shows them."""

import base64
import io

import numpy as np
from PIL import Image

from experiments.data.specs import SPECS


def data_url(image: np.ndarray) -> str:
    """Return image, uint8 [H, W, C], as a PNG within a URL, so that no file lies about for others to fetch."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(Image.fromarray(image.squeeze()))).decode()}"


def encode_png(picture: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def pixels_to_png(pixels: bytes | None, dataset: str) -> bytes | None:
    """Encode kept pixels, uint8 [H, W, C] of this data set, as PNG; of a number its digits' images, one below another;
    None for a blank or an unknown data set."""
    if pixels is None or dataset not in SPECS:
        return None
    image = np.concatenate(kept_images(pixels, dataset))
    return encode_png(Image.fromarray(image.squeeze()))


def kept_images(pixels: bytes, dataset: str) -> np.ndarray:
    """The images of kept pixels: uint8 [N, H, W, C] of this data set, several of a number alone."""
    return np.frombuffer(pixels, np.uint8).reshape(-1, *SPECS[dataset].image_shape)
