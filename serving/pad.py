"""The drawing pad: Gradio's sketchpad, set up so that it draws at once, and strict about what it is sent."""

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.image_editor import EditorData
from pydantic import ValidationError

SIDE = 400  # px, of the sheet and of the picture it sends
BRUSH = 20  # px; the automatic brush is far thinner than MNIST's strokes
WRONG_SHAPE = (
    'A drawing is {"background": file, "layers": [file, ...], "composite": file}. Upload each file before and send '
    "its path and meta, or null; with gradio_client write handle_file(path)."
)
UNKNOWN_ID = "The drawing did not arrive, or was answered before. Submit it again."


def build_pad(**options: Any) -> gr.Sketchpad:
    """A white pad with the brush in hand; a function gets its value as `list[bytes]`, the encoded sheets of one
    drawing from the lowest up. Further options are the sketchpad's own."""
    pad = gr.Sketchpad(
        value=blank(),
        canvas_size=(SIDE, SIDE),
        fixed_canvas=True,
        brush=gr.Brush(default_size=BRUSH, colors=["#000000"], color_mode="fixed"),
        eraser=gr.Eraser(default_size=BRUSH),
        layers=False,
        transforms=(),
        buttons=[],
        **options,
    )
    # Set on the instance: of every subclass of a component Gradio writes a .pyi file into its folder.
    pad.data_model = DrawingData
    pad.preprocess = partial(read_sheets, pad)
    return pad


def blank() -> dict[str, Any]:
    """The value of a fresh pad: a white sheet, since without one the brush has to be found first."""
    return {"background": np.full((SIDE, SIDE, 3), 255, np.uint8), "layers": [], "composite": None}


class DrawingData(EditorData):
    """A drawing: "composite" is what is read; without it "layers" over "background". Nothing at all is a blank."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "DrawingData":
        """Refuses in words what Gradio's own model takes as a blank, a bare file among it, or names no reason for."""
        try:
            if obj and set(obj) <= set(cls.model_fields):
                return super().model_validate(obj, **options)
        except (TypeError, ValidationError):
            pass
        raise gr.Error(WRONG_SHAPE, print_exception=False)


def read_sheets(pad: gr.Sketchpad, drawing: EditorData | None) -> list[bytes]:
    """The files of a drawing, the lowest first: the composite alone if there is one. Raises gr.Error."""
    if drawing is None:
        return []
    if drawing.id is None:
        return [Path(file.path).read_bytes() for file in _sheets(drawing)]
    if drawing.id not in pad.blob_storage:  # strokes sent while they are drawn are kept there, once
        raise gr.Error(UNKNOWN_ID, print_exception=False)
    return _sheets(pad.blob_storage.pop(drawing.id))


def _sheets(drawing: Any) -> list[Any]:
    sheets = [drawing.composite] if drawing.composite else [drawing.background, *drawing.layers]
    return [sheet for sheet in sheets if sheet]
