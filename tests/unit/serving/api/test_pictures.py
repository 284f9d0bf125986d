"""Every form in which programs send a picture, and what is refused in words."""

import base64
import json
from contextlib import suppress
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.pictures import picture_in
from serving.core.errors import Refused
from tests.helpers.pictures import encoded

NOISE = encoded(np.random.default_rng(3).integers(0, 256, (40, 40), np.uint8))
BASE64 = base64.b64encode(NOISE).decode()
URL_SAFE = base64.urlsafe_b64encode(NOISE).decode()


def lines(length, end):
    return end.join(BASE64[start : start + length] for start in range(0, len(BASE64), length))


TEXTS = {
    "plain": BASE64, "unpadded": BASE64.rstrip("="), "URL-safe": URL_SAFE, "URL-safe, unpadded": URL_SAFE.rstrip("="),
    "MIME": base64.encodebytes(NOISE).decode(), "CRLF": lines(76, "\r\n"), "indented": lines(64, " \n    "),
    "in blocks": lines(76, " "), "tabs": lines(40, "\t"), "line ends written out": lines(76, "\\r\\n") + "\\n",
    "plus signs lost": BASE64.replace("+", " "), "surrounded": f" \n{BASE64}\n ", "percent": quote(BASE64, safe=""),
    "Python's bytes": repr(BASE64.encode()), "quoted": f'"{BASE64}"', "prefix": f"base64,{BASE64}",
    "data URL": f"data:image/png;base64,{BASE64}", "of no type": f"data:;base64,{BASE64}",
    "with a charset": f"data:image/png;charset=utf-8;base64,{BASE64}", "capitals": f"DATA:image/PNG;BASE64, {BASE64}",
    "of URL-safe": f"data:image/png;base64,{URL_SAFE.rstrip('=')}", "without data:": f"image/png;base64,{BASE64}",
    "data URL, percent": f"data:image/png;base64,{quote(BASE64, safe='')}",
    "no base64": f"data:image/png,{quote(NOISE)}",
    "whole in percent": quote(f"data:image/png;base64,{BASE64}", safe=""),
}  # fmt: skip
DATA_URL = TEXTS["data URL"]
SERVERS = {
    "TensorFlow": {"instances": [{"b64": BASE64}]}, "TensorFlow, named": {"instances": [{"image": {"b64": BASE64}}]},
    "MLflow": {"dataframe_split": {"columns": ["image"], "index": [0], "data": [[BASE64]]}},
    "MLflow records": {"dataframe_records": [{"image": BASE64}]}, "Hugging Face": {"inputs": BASE64},
    "KServe": {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [BASE64]}]},
    "TorchServe": {"data": BASE64}, "Gradio": {"data": [DATA_URL]}, "Gradio 4": {"data": [{"url": DATA_URL}]},
    "chat": {"model": "m", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "Which digit is this? Answer with the digit alone, please."},
        {"type": "image_url", "image_url": {"url": DATA_URL}}]}]},
    "source": {"messages": [{"content": [{"type": "image", "source": {"media_type": "image/png", "data": BASE64}}]}]},
    "bytes": {"image": list(NOISE)}, "Buffer": {"type": "Buffer", "data": list(NOISE)},
    "typed array": {str(number): value for number, value in enumerate(NOISE)},
    "latin-1": {"image": NOISE.decode("latin-1")},
    "twice": json.dumps({"image": BASE64}), "bare": BASE64, "list": [BASE64], "more fields": {"image": BASE64, "id": 7},
}  # fmt: skip


@pytest.mark.parametrize("form", TEXTS)
def test_base64_and_data_urls_are_read_however_they_are_written(form):
    text = TEXTS[form]
    assert picture_in(text.encode()) == NOISE
    assert picture_in(json.dumps({"image": text}).encode()) == NOISE
    assert picture_in(f"a=1&image={quote(text, safe='')}".encode()) == NOISE


@pytest.mark.parametrize("server", SERVERS)
def test_bodies_of_other_servers_are_read(server):
    assert picture_in(json.dumps(SERVERS[server]).encode()) == NOISE
    assert picture_in(b"\xef\xbb\xbf " + json.dumps(SERVERS[server], indent=2).encode()) == NOISE


@given(st.binary(max_size=60), st.booleans(), st.booleans(), st.integers(1, 80))
def test_any_file_comes_out_of_its_base64_as_it_was(rest, url_safe, padded, length):
    content = NOISE + rest
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(content).decode()
    text = text if padded else text.rstrip("=")
    wrapped = "\n".join(text[start : start + length] for start in range(0, len(text), length))
    assert picture_in(wrapped.encode()) == content


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"image": "https://example.com/7.png"}, "address"), ({"image_url": "http://example.com/7"}, "address"),
        ({"image": "C:\\pictures\\7.PNG"}, "name of a file"), ({"data": [{"path": "7.jpg"}]}, "name of a file"),
        ({"image": "\ufffdPNG\r\n"}, "taken for text"), ({"image": "***"}, "not base64"),
        ({"images": [BASE64] * 2}, "2 pictures"),
        ({"image": None}, "no picture"), ({"image": 7}, "no picture"), ({"image": {}}, "no picture"),
        ({}, "no picture"),
        ({"image": [[1, 2], [3]]}, "different lengths"), ({"image": [["1"] * 28] * 28}, "something else"),
        ({"image": [[float("nan")] * 28] * 28}, "NaN"), ({"image": [[None] * 28] * 28}, "something else"),
        ({"image": [[1e30] * 28] * 28}, "too large"), ({"image": [[0] * 700] * 700}, "more than"),
        ({"image": []}, "0 numbers"),
        ({"image": [[1, 2, 3]] * 3}, "3×3 numbers"), ({"instances": [[[0] * 28] * 28] * 3}, "more than one"),
        ({"instances": [[0] * 784] * 5}, "5×784"), ({"picture": "x" * 50 + "!"}, "not base64"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_in_words(body, words):
    with pytest.raises(Refused) as refused:
        picture_in(json.dumps(body).encode())
    assert words in refused.value.message
    assert refused.value.hint
    assert refused.value.status in (400, 422)


@pytest.mark.parametrize(
    "part", [b"a=", b'"', b" ", b"\\n", b"%", b"[", b"\n ", b"a&", b"data:,", b"1,", b"1\n", b"\r\n ", b"-"]
)
def test_a_body_that_repeats_itself_takes_no_time(part):
    with suppress(Refused):
        assert picture_in(part * 2_000_000) is not None


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(body):
    for beginning in (b"", b'{"image":', b"data:", b"[", b"a=", b'"{'):
        with suppress(Refused):
            assert isinstance(picture_in(beginning + body), bytes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.just(BASE64),
    lambda inner: (
        st.lists(inner, max_size=9) | st.dictionaries(st.sampled_from(["image", "data", "shape", "b64"]), inner)
    ),
    max_leaves=30,
)


@given(JSON)
def test_any_json_is_taken_or_refused(value):
    with suppress(Refused):
        assert isinstance(picture_in(json.dumps({"instances": value}).encode()), bytes)
