from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.page.widgets.files import cache_file, cache_image


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


def test_a_file_that_a_browser_may_be_reading_is_not_written_again():
    def write(file):
        file.write_bytes(b"a,b\n1,2\n")

    path = Path(cache_file("table.csv", write))
    path.write_bytes(b"being read")
    assert Path(cache_file("table.csv", write)) == path
    assert path.read_bytes() == b"being read"


def test_a_picture_is_kept_to_the_pixel():
    pixels = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    with Image.open(cache_image(Image.fromarray(pixels))) as image:
        assert image.format == "PNG"
        assert np.array_equal(np.asarray(image), pixels)
