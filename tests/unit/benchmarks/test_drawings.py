import io

import numpy as np
from PIL import Image

from benchmarks import drawings


def test_drawings_differ_and_are_the_same_each_time():
    first, second = drawings.sheets(20), drawings.sheets(20)
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({sheet.tobytes() for sheet in first}) == 20
    assert {sheet.shape for sheet in first} == {(400, 400)}


def test_small_pictures_have_the_sides_promised():
    sizes = [Image.open(io.BytesIO(data)).size for data in drawings.small(30)]
    assert all(28 <= width == height <= 64 for width, height in sizes)
    assert len(set(sizes)) > 5
