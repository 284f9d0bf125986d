import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from PIL import Image

from serving.core.errors import Refused
from serving.page.widgets.files import cache_file, cache_image, check_values, if_room


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


def nested(value):
    return value | st.lists(value, max_size=2) | st.dictionaries(st.sampled_from(["value", "image", "a"]), value)


OUTSIDE = st.sampled_from(["/etc/passwd", "/dev/zero", "a.png", "https://example.com/a.png", "\0", 7, {"a": 1}])
OUTSIDE_FILES = st.fixed_dictionaries({"path": OUTSIDE}) | st.fixed_dictionaries({"path": st.none(), "url": OUTSIDE})


@given(nested(nested(nested(OUTSIDE_FILES))).filter(lambda value: "path" in str(value)))
def test_a_file_that_is_no_upload_is_refused_wherever_a_value_names_it(value):
    with pytest.raises(Refused, match="not uploaded"):
        check_values([value], 10)


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the folder may be the same for all
@given(st.data())
def test_an_upload_is_taken_and_its_address_dropped_wherever_a_value_names_it(data):
    path = cache_file("a.csv", lambda file: file.write_bytes(b"a"))
    files = st.builds(lambda: {"path": path, "url": "https://example.com/a.png"})
    value = data.draw(nested(nested(files)))
    check_values([value], 10)
    assert "example.com" not in str(value)


def test_text_that_cannot_be_encoded_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        check_values([["\ud800"]], 10)


@pytest.mark.parametrize(
    "value", [{"layers": [{"path": None}] * 11}, [{"value": {"layers": [None] * 10_000}}], [{"path": "a.csv"}] * 4]
)
def test_more_files_than_an_event_takes_are_refused(value):
    path = cache_file("a.csv", lambda file: file.write_bytes(b"a"))
    if isinstance(value, list):
        value = [part | {"path": path} if "path" in part else part for part in value]
    with pytest.raises(Refused, match="more than"):
        check_values([value], 3)


def test_an_answer_does_without_a_file_that_has_no_room(caplog):
    def write(number):
        raise OSError(number, os.strerror(number))

    assert if_room(write, errno.ENOSPC) is None
    assert "An answer is shown without its files: No space left on device." in caplog.text
    with pytest.raises(PermissionError):
        if_room(write, errno.EACCES)
    assert if_room("".join, ["path"]) == "path"
