"""Images as files: PNG, and the data URLs that a page shows them by."""

import base64
import io

import numpy as np
from PIL import Image

from experiments.data.specs import SPECS


def data_url(image: np.ndarray) -> str:
    """image: uint8 [H, W, C]. As a PNG within an address, so that no file lies about for others to fetch."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(Image.fromarray(image.squeeze()))).decode()}"


def encode_png(picture: Image.Image) -> bytes:
    """The picture, encoded."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def pixels_to_png(pixels: bytes | None, dataset: str) -> bytes | None:
    """pixels: uint8 [H, W, C] of this data set, as they are kept. Returns them encoded; None for a blank."""
    if pixels is None or dataset not in SPECS:
        return None
    image = np.frombuffer(pixels, np.uint8).reshape(SPECS[dataset].image_shape)
    return encode_png(Image.fromarray(image.squeeze()))
