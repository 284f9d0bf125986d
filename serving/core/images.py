"""Images as files: PNG, and the data URLs that a page shows them by."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from experiments.data.specs import SPECS
from serving.storage.records import Entry

if TYPE_CHECKING:
    pass


def data_url(image: np.ndarray) -> str:
    """image: uint8 [H, W, C]. As a PNG within an address, so that no file lies about for others to fetch."""
    return f"data:image/png;base64,{base64.b64encode(png(Image.fromarray(image.squeeze()))).decode()}"


def png(picture: Image.Image) -> bytes:
    """The picture, encoded."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def png_of(entry: Entry) -> bytes | None:
    """What the model saw, encoded; None for a blank."""
    if entry.image is None or entry.dataset not in SPECS:
        return None
    pixels = np.frombuffer(entry.image, np.uint8).reshape(SPECS[entry.dataset].image_shape)
    return png(Image.fromarray(pixels.squeeze()))
