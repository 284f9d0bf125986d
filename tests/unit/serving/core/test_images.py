import io

import numpy as np
from PIL import Image

from serving.core.images import pixels_to_png


def test_an_image_is_encoded_as_it_was_kept():
    pixels = np.arange(784, dtype=np.uint8)
    with Image.open(io.BytesIO(pixels_to_png(pixels.tobytes(), "mnist"))) as image:
        assert np.array_equal(np.asarray(image).ravel(), pixels)
    assert pixels_to_png(None, "mnist") is None
    assert pixels_to_png(pixels.tobytes(), "of another version") is None


def test_the_digits_of_a_number_stand_one_below_another():
    pixels = np.arange(3 * 784).astype(np.uint8)
    with Image.open(io.BytesIO(pixels_to_png(pixels.tobytes(), "mnist"))) as image:
        assert image.size == (28, 3 * 28)
        assert np.array_equal(np.asarray(image).ravel(), pixels)
