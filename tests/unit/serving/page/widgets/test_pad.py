from contextlib import suppress

import gradio as gr
import pytest
from gradio.data_classes import FileData
from hypothesis import given
from hypothesis import strategies as st

from serving.page.widgets.pad import DrawingData, blank_drawing, build_drawing_copy, build_pad


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A folder of the cache of uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "digest").mkdir()
    return tmp_path / "digest"


FILE = {"path": "a.png", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def pad():
    return build_pad(label="Pad")


def test_a_fresh_pad_is_a_white_sheet_with_the_brush_in_hand(pad):
    assert blank_drawing()["background"].min() == 255
    assert pad.value["background"]["path"]
    assert pad.brush.default_size >= 16
    assert pad.get_block_name() == "imageeditor"


def test_the_composite_is_read_else_the_layers_over_the_background(pad, cache):
    files = {}
    for name in ("background", "ink", "composite"):
        (cache / name).write_bytes(name.encode())
        files[name] = FileData(path=str(cache / name))
    layers = [files["ink"]]
    everything = DrawingData(background=files["background"], layers=layers, composite=files["composite"])
    assert pad.preprocess(everything) == [cache / "composite"]
    assert pad.preprocess(DrawingData(background=files["background"], layers=layers)) == [
        cache / "background",
        cache / "ink",
    ]
    assert pad.preprocess(DrawingData(background=files["background"])) == [cache / "background"]


def test_nothing_is_a_blank_pad(pad):
    assert pad.preprocess(None) == []
    assert pad.preprocess(DrawingData(background=None, layers=[], composite=None)) == []


def test_a_copy_of_a_drawing_is_read_like_the_pad(cache):
    (cache / "sheet").write_bytes(b"ink")
    drawing = build_drawing_copy().data_model(composite=FileData(path=str(cache / "sheet")))
    assert build_drawing_copy().preprocess(drawing) == [cache / "sheet"]


def test_the_pad_keeps_no_strokes_that_anyone_sends(pad):
    assert pad.server_fns == []
    assert not pad.accept_blobs


@pytest.mark.parametrize(
    "value",
    [
        FILE,
        {},
        [],
        [FILE],
        5,
        True,
        "drawing",
        {"background": None, "layers": None},
        {"composite": "a.png"},
        {"composite": {"path": 5}},
        {"layers": [None]},
        {"id": 5},
        {"id": "abc"},
        {"background": None, "more": 1},
    ],
)
def test_what_is_no_drawing_is_refused_in_words(value):
    with pytest.raises(gr.Error, match="A drawing is"):
        DrawingData.model_validate(value, context={"validate_meta": True})


@pytest.mark.parametrize("value", [{"composite": FILE}, {"background": FILE, "layers": [FILE], "composite": None}])
def test_what_is_a_drawing_is_taken(value):
    assert DrawingData.model_validate(value, context={"validate_meta": True})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*DrawingData.model_fields, "path"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_a_drawing_or_refused_in_words(value):
    with suppress(gr.Error):
        assert isinstance(DrawingData.model_validate(value, context={"validate_meta": True}), DrawingData)
