from pathlib import Path

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.page.tabs import draw, photo
from serving.page.widgets.examples import FOLDER, build_examples, cache_example


def test_every_picture_is_an_example_and_they_are_small():
    pictures = {path.name: path.stat().st_size for path in FOLDER.glob("*.webp")}
    assert set(pictures) == {*draw.EXAMPLES, *photo.EXAMPLES}
    assert sum(pictures.values()) < 40_000


def test_the_thumbnails_are_part_of_the_page():
    samples = build_examples(draw.EXAMPLES).samples
    assert len(samples) == len(draw.EXAMPLES)
    assert all('src="data:image/webp;base64,' in html for (html,) in samples)
    assert sum(len(html) for (html,) in samples) < 20_000


@pytest.mark.parametrize("index", range(len(draw.EXAMPLES)))
def test_the_picture_that_was_clicked_is_cached(index):
    name = list(draw.EXAMPLES)[index]
    assert cache_example(draw.EXAMPLES, index).read_bytes() == Path(FOLDER / name).read_bytes()


@given(st.one_of(st.integers(max_value=-1), st.integers(min_value=len(photo.EXAMPLES)), st.text(), st.none()))
def test_anything_else_is_refused_in_words(index):
    with pytest.raises(gr.Error, match="Choose one of the examples"):
        cache_example(photo.EXAMPLES, index)
