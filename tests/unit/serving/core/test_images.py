import io

import numpy as np
from PIL import Image

from serving.core.images import png_of


def test_an_image_is_encoded_as_it_was_kept():
    pixels = np.arange(784, dtype=np.uint8)
    with Image.open(io.BytesIO(png_of(pixels.tobytes(), "mnist"))) as image:
        assert np.array_equal(np.asarray(image).ravel(), pixels)
    assert png_of(None, "mnist") is None
    assert png_of(pixels.tobytes(), "of another version") is None
