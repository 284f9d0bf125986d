"""The drawing pad: Gradio's sketchpad, ready to draw on, and strict about what it is sent."""

from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.image_editor import EditorData
from PIL import Image
from pydantic import ValidationError

from serving.page.widgets.errors import page_error

Size = tuple[int, int]
"""Width and height in px, of a sheet and of the picture that it sends."""
SQUARE: Size = (400, 400)
WIDE: Size = (800, 400)  # for numbers; on a phone half as high as wide
BRUSH = 20  # px; the default brush is far thinner than MNIST's strokes
WRONG_SHAPE = (
    'A drawing is {"background": file, "layers": [file, ...], "composite": file}. Upload each file first and send '
    "its path and meta, or null; with gradio_client use handle_file(path)."
)

AnyComponent = TypeVar("AnyComponent", bound=Component)


def build_pad(size: Size = SQUARE, **options: Any) -> gr.Sketchpad:
    """Build a white pad with the brush selected. An event's function gets its value as `list[Path]`, the files of the
    drawing's sheets from the lowest up. size: for good, since Gradio keeps a pad's first one when it is changed;
    options: the sketchpad's own."""
    pad = gr.Sketchpad(
        value=blank_drawing(size),  # type: ignore[arg-type]  # Gradio's annotation lacks the dictionary that it documents
        canvas_size=size,
        fixed_canvas=True,
        brush=gr.Brush(default_size=BRUSH, colors=["#000000"], color_mode="fixed"),
        eraser=gr.Eraser(default_size=BRUSH),
        layers=False,
        transforms=(),
        buttons=[],
        elem_classes="pad",
        **options,
    )
    pad.server_fns, pad.accept_blobs = [], None  # it would keep whatever anyone sends, for good
    return _strict(pad)


def build_drawing_copy() -> gr.JSON:
    """Build a hidden component for a copy of a pad's drawing; an event's function gets the same value from it."""
    return _strict(gr.JSON(visible="hidden"))


def _strict(component: AnyComponent) -> AnyComponent:
    # Set on the instance: for every subclass of a component Gradio writes a .pyi file into its folder.
    component.data_model = DrawingData
    component.preprocess = sheet_files  # type: ignore[method-assign, assignment]
    return component


def blank_drawing(size: Size = SQUARE) -> dict[str, Any]:
    """Return the value of a fresh pad: a white sheet, since without one the brush would have to be selected first."""
    width, height = size
    return {"background": np.full((height, width, 3), 255, np.uint8), "layers": [], "composite": None}


def drawing_of(picture: Path) -> dict[str, Any]:
    """Return the value of a square pad with a picture on its sheet, which can be drawn on."""
    with Image.open(picture) as opened:
        return blank_drawing() | {"background": np.asarray(opened.convert("RGB").resize(SQUARE))}


class DrawingData(EditorData):
    """A drawing: "composite" is read, or without it "layers" over "background". None of them is a blank."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> "DrawingData":
        """Refuse in words what Gradio's own model takes for a blank, such as a bare file, or refuses without a reason.
        Raises gr.Error."""
        try:
            drawing = super().model_validate(obj, **options)
            if obj and set(obj) <= set(cls.model_fields) and drawing.id is None:
                return drawing
        except (TypeError, ValidationError):
            pass
        raise page_error(WRONG_SHAPE)


def sheet_files(drawing: EditorData | None) -> list[Path]:
    """Return the files of a drawing, the lowest first: the composite alone if there is one."""
    if drawing is None:
        return []
    sheets = [drawing.composite] if drawing.composite else [drawing.background, *drawing.layers]
    return [Path(sheet.path) for sheet in sheets if sheet]
