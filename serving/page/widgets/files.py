"""Files that the page gives to browsers and takes from them, in Gradio's cache."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

NOT_UPLOADED = "This is no file that was uploaded to this page. Upload it first; the upload's answer is its path."


def cache_file(name: str, write: Callable[[Path], object]) -> str:
    """The path of a file that Gradio serves, and deletes in time. Where one of the same name and content is there it
    stays as it is: given bytes or an array, Gradio writes it anew while another visitor's browser may be reading it.
    write: writes the content to the path it is given."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        write(file)
        return save_file_to_cache(file, get_upload_folder())


def cache_image(picture: Image.Image) -> str:
    """The same of a picture, as PNG."""
    return cache_file("image.png", picture.save)


def check_uploaded(value: Any) -> None:
    """Raises gr.Error if a value from outside names a file that was not uploaded to this page, the same one whatever is
    at that path. Gradio's own check looks only at files with "meta", and it fetches addresses."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if (part.get("path") or part.get("url")) and not _is_uploaded(part.get("path")):
                raise gr.Error(NOT_UPLOADED, print_exception=False)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def read_upload(file: dict[str, Any] | None) -> list[bytes]:
    """The content of a file as Gradio describes it; nothing where there is none."""
    return [Path(file["path"]).read_bytes()] if file and file["path"] else []


def _is_uploaded(path: Any) -> bool:
    try:
        file = Path(path).resolve()
        return file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    except (OSError, TypeError, ValueError):  # no path at all, one too long, or with a NUL in it
        return False
