"""The upload of one picture: Gradio's image, strict about what it is sent, whose file the workers decode."""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from pydantic import ValidationError

from experiments.preprocessing.formats import NAMES
from serving.page.widgets.errors import page_error

WRONG_SHAPE = (
    'A picture is a file: {"path": what its upload answered, "meta": {"_type": "gradio.FileData"}}, or null; with '
    f"gradio_client use handle_file(path). {NAMES} are read."
)


def build_picture(**options: Any) -> gr.Image:
    """Build the component; an event's function gets its value as Gradio describes a file, with `preprocess=False`.
    options: the image's own."""
    picture = gr.Image(**options)
    picture.data_model = PictureData  # on the instance: for a subclass Gradio writes a .pyi file into its folder
    return picture


class PictureData(ImageData):
    """An uploaded picture."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "PictureData":
        """Refuse in words what Gradio's own model takes for no picture, such as a drawing, or refuses without a reason.
        Raises gr.Error."""
        try:
            if isinstance(obj, dict) and obj.get("path") and set(obj) <= set(cls.model_fields):
                return super().model_validate(obj, **options)
        except (TypeError, ValidationError):
            pass
        raise page_error(WRONG_SHAPE)
