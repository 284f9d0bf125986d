"""Files that the page sends to browsers and gets from them, in Gradio's cache."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from serving.page.widgets.errors import page_error

NOT_UPLOADED = "This file was not uploaded to this page. Upload it first; the answer to the upload is its path."


def cache_file(name: str, write: Callable[[Path], object]) -> str:
    """Return the path of a file that Gradio serves, and deletes after a while; `write` writes it to a given path. A
    file of the same name and content is left alone: given bytes or an array, Gradio would write it again while another
    visitor's browser may be reading it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        write(file)
        return str(save_file_to_cache(file, get_upload_folder()))


def cache_image(picture: Image.Image) -> str:
    """Return the path of a picture, written as PNG by cache_file."""
    return cache_file("image.png", picture.save)


def check_uploaded(value: Any) -> None:
    """Raise gr.Error if the value of an event names a file that was not uploaded to this page, with one text whatever
    is at that path. Gradio's own check looks only at files with "meta", and it fetches URLs."""
    unchecked = [value]
    while unchecked:
        part = unchecked.pop()
        if isinstance(part, dict):
            if (part.get("path") or part.get("url")) and not _is_uploaded(part.get("path")):
                raise page_error(NOT_UPLOADED)
            unchecked += part.values()
        elif isinstance(part, list):
            unchecked += part


def read_upload(file: dict[str, Any] | None) -> list[bytes]:
    """Return the content of a file as Gradio describes it, as a list of one; empty without a file."""
    return [Path(file["path"]).read_bytes()] if file and file["path"] else []


def _is_uploaded(path: Any) -> bool:
    try:
        file = Path(path).resolve()
        return file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    except (OSError, TypeError, ValueError):  # no path at all, one too long, or with a NUL in it
        return False
