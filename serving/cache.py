"""Files that the page gives to browsers, in Gradio's cache."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from PIL import Image


def keep_file(name: str, write: Callable[[Path], object]) -> str:
    """The path of a file that Gradio serves, and deletes in time. Where one of the same name and content is there it
    stays as it is: given bytes or an array, Gradio writes it anew while another visitor's browser may be reading it.
    write: writes the content to the path it is given."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        write(file)
        return save_file_to_cache(file, get_upload_folder())


def keep_picture(picture: Image.Image) -> str:
    """The same of a picture, as PNG."""
    return keep_file("image.png", picture.save)
