"""Pictures to try, answered with one click: Gradio's thumbnails of files that are shipped with the page."""

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from serving.page.widgets.errors import page_error
from serving.page.widgets.files import cache_file

FOLDER = Path(__file__).parents[1] / "examples"
THUMBNAIL = 96  # px, the side of a thumbnail: as sharp on most phones

Examples = Mapping[str, str]
"""File in FOLDER -> what a screen reader says of its thumbnail."""


def build_examples(examples: Examples, label: str = "Or try one of these") -> gr.Dataset:
    """Build the row of thumbnails; an event's function gets the value that `cache_example` takes. They are part of the
    page: Gradio would copy files into the cache of uploads, which deletes them after a while."""
    samples = [[_thumbnail(FOLDER / name, words)] for name, words in examples.items()]
    return gr.Dataset(
        label=label, components=[gr.HTML(render=False)], samples=samples, type="index", elem_classes="examples"
    )


def cache_example(examples: Examples, index: Any) -> Path:
    """Copy the example that was clicked into the cache of uploads, for the browser to show. Raises gr.Error."""
    names = list(examples)
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise page_error("Choose one of the examples that are shown.")
    name, content = names[index], (FOLDER / names[index]).read_bytes()
    return Path(cache_file(name, lambda path: path.write_bytes(content)))


def _thumbnail(path: Path, words: str) -> str:
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX).save(buffer, "WEBP", quality=60)
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return f'<img alt="{words}" title="{words}" src="{source}">'
