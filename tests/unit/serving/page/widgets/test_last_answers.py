"""What comes back out of a browser's store."""

import base64

import gradio as gr
from hypothesis import given
from hypothesis import strategies as st

from serving.page.widgets.last_answers import MAX_DRAWING, cache_drawing


def test_a_drawing_is_copied_as_it_is(seven_png):
    url = f"data:image/png;base64,{base64.b64encode(seven_png).decode()}"
    assert cache_drawing(url).read_bytes() == seven_png


ANYTHING = st.one_of(
    st.none(), st.integers(), st.text(), st.lists(st.text()), st.just("data:image/svg+xml;base64,PHN2Zz4="),
    st.text("ABab01+/=", max_size=9).map("data:image/png;base64,{}".format),
    st.just("data:image/png;base64," + "A" * MAX_DRAWING),
)  # fmt: skip


@given(ANYTHING)
def test_anything_else_is_refused_in_words_or_has_bytes(sent):
    refusal = ""
    try:
        assert cache_drawing(sent).stat().st_size < MAX_DRAWING
    except gr.Error as error:
        refusal = error.message
    assert refusal in ("", "This answer can't be shown again. Draw it once more.")
