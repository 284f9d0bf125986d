"""The drawing pad: Gradio's sketchpad, ready to draw on, and strict about what it is sent."""

from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.components.image_editor import EditorData
from gradio.events import Dependency
from PIL import Image
from pydantic import ValidationError

from serving.page.widgets.controls import QUIET
from serving.page.widgets.errors import page_error

Size = tuple[int, int]
"""Width and height in px, of a sheet and of the picture that it sends."""
SQUARE: Size = (400, 400)
WIDE: Size = (800, 400)  # for numbers; on a phone half as high as wide
SHOWN_PAD = "(square, wide, on) => on ? wide : square"
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


class Pads(NamedTuple):
    """Two pads of which one is shown, and the switch that says which. A pad can't take another size."""

    square: gr.Sketchpad
    wide: gr.Sketchpad
    switch: gr.Checkbox  # not yet on the page


def build_pads() -> Pads:
    """Build both, the square one shown."""
    wide = build_pad(WIDE, label="Draw a number here", elem_id="wide-pad", visible=False)
    square = build_pad(label="Draw a digit here", elem_id="pad")
    return Pads(square, wide, gr.Checkbox(label="Wide pad for numbers", elem_id="wide", min_width=160, render=False))


def build_drawing_copy() -> gr.JSON:
    """Build a hidden component for a copy of a pad's drawing; an event's function gets the same value from it."""
    return _strict(gr.JSON(visible="hidden"))


def copy_on_click(button: gr.Button, pads: Pads) -> tuple[Dependency, gr.JSON]:
    """Have a click on the button copy the drawing of the pad that is shown into a component of its own. A pad that is
    an input itself exports and uploads its sheets again at each progress update of any event."""
    copy = build_drawing_copy()
    return button.click(None, list(pads), copy, js=SHOWN_PAD, **QUIET), copy


def _strict(component: AnyComponent) -> AnyComponent:
    # Set on the instance: for every subclass of a component Gradio writes a .pyi file into its folder.
    component.data_model = DrawingData
    component.preprocess = sheet_files  # type: ignore[method-assign, assignment]
    return component


def blank_drawing(size: Size = SQUARE) -> dict[str, Any]:
    """Return the value of a fresh pad: a white sheet, since without one the brush would have to be selected first."""
    width, height = size
    return {"background": np.full((height, width, 3), 255, np.uint8), "layers": [], "composite": None}


def pads_showing(picture: Path) -> tuple[Any, Any, bool]:
    """Return what the square pad, the wide one and their switch become with a picture on the sheet of the one that has
    its shape; it can be drawn on."""
    with Image.open(picture) as opened:
        wide = opened.width > 1.5 * opened.height
        size = WIDE if wide else SQUARE
        drawing = blank_drawing(size) | {"background": np.asarray(opened.convert("RGB").resize(size))}
    shown, hidden = gr.update(value=drawing, visible=True), gr.update(value=None, visible=False)
    return (hidden, shown, True) if wide else (shown, hidden, False)


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
