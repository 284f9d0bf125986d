"""The drawing pad: Gradio's sketchpad, set up so that it draws at once, and strict about what it is sent."""

from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.image_editor import EditorData
from pydantic import ValidationError

SIDE = 400  # px, of the sheet and of the picture it sends
BRUSH = 20  # px; the automatic brush is far thinner than MNIST's strokes
WRONG_SHAPE = (
    'A drawing is {"background": file, "layers": [file, ...], "composite": file}. Upload each file before and send '
    "its path and meta, or null; with gradio_client write handle_file(path)."
)

Part = TypeVar("Part", bound=Component)


def build_pad(**options: Any) -> gr.Sketchpad:
    """A white pad with the brush in hand; a function gets its value as `list[bytes]`, the encoded sheets of one
    drawing from the lowest up. Further options are the sketchpad's own."""
    pad = gr.Sketchpad(
        value=blank_drawing(),
        canvas_size=(SIDE, SIDE),
        fixed_canvas=True,
        brush=gr.Brush(default_size=BRUSH, colors=["#000000"], color_mode="fixed"),
        eraser=gr.Eraser(default_size=BRUSH),
        layers=False,
        transforms=(),
        buttons=[],
        **options,
    )
    pad.server_fns, pad.accept_blobs = [], None  # it keeps whatever anyone sends, for good
    return _reading(pad)


def build_drawing_copy() -> gr.JSON:
    """What holds a drawing that was taken from a pad, unseen; a function gets the same of it."""
    return _reading(gr.JSON(visible="hidden"))


def _reading(part: Part) -> Part:
    # Set on the instance: of every subclass of a component Gradio writes a .pyi file into its folder.
    part.data_model = DrawingData
    part.preprocess = read_sheets
    return part


def blank_drawing() -> dict[str, Any]:
    """The value of a fresh pad: a white sheet, since without one the brush has to be found first."""
    return {"background": np.full((SIDE, SIDE, 3), 255, np.uint8), "layers": [], "composite": None}


class DrawingData(EditorData):
    """A drawing: "composite" is what is read; without it "layers" over "background". Nothing at all is a blank."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "DrawingData":
        """Refuses in words what Gradio's own model takes as a blank, a bare file among it, or names no reason for."""
        try:
            drawing = super().model_validate(obj, **options)
            if obj and set(obj) <= set(cls.model_fields) and drawing.id is None:
                return drawing
        except (TypeError, ValidationError):
            pass
        raise gr.Error(WRONG_SHAPE, print_exception=False)


def read_sheets(drawing: EditorData | None) -> list[bytes]:
    """The files of a drawing, the lowest first: the composite alone if there is one."""
    if drawing is None:
        return []
    sheets = [drawing.composite] if drawing.composite else [drawing.background, *drawing.layers]
    return [Path(sheet.path).read_bytes() for sheet in sheets if sheet]
