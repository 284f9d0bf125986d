"""The Draw tab: a pad, an upload for those who can't draw, and the answer beside them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from serving.page.widgets.answer import AnswerParts, AnswerView, Outputs
from serving.page.widgets.controls import PRIVATE, QUIET, UNLIMITED
from serving.page.widgets.files import uploads
from serving.page.widgets.pad import blank_drawing, build_drawing_copy, build_pad
from serving.page.widgets.picture import build_picture
from serving.services import Services

DATASET = "mnist"
SENTENCES = {
    "blank": "Nothing drawn yet. Draw a digit from 0 to 9, then press Submit.",
    "rejected": "That does not look like one digit from 0 to 9.",
}
NO_ANSWER = "() => [{}, '', null, null, null]"
"""Empties the answer and the upload in the browser, at once: a late answer of the server's would empty what comes
next."""
AS_IT_IS = "drawing => drawing"
ANSWER_WHEN_LIVE = """on => {
    const pad = document.querySelector("#pad");
    const answer = () => setTimeout(() => document.querySelector("#answer-live").click(), 30);
    const undone = key => (key.ctrlKey || key.metaKey) && "zy".includes(key.key.toLowerCase());
    pad.onpointerdown = on ? () => document.addEventListener("pointerup", answer, {once: true}) : null;
    document.body.onkeyup = on ? key => undone(key) && answer() : null;
    if (on) answer();
}"""
"""Runs in the browser. A listener to the pad's own changes would have it export and upload all its sheets at each
stroke, live or not."""


def build(services: Services) -> None:
    """Fill the tab."""
    view = AnswerView(services, DATASET, SENTENCES)

    async def predict(drawing: list[Path], request: gr.Request) -> Outputs:
        """Reads one hand-drawn digit. Takes the pad's dict, of which "composite" is read, else "layers" over
        "background": a picture of any size and mode, dark on light or light on dark. Gives the label with its three
        most likely digits (a sentence without confidences if no digit is named), the verdict in words, the 28x28
        image the model saw, the details ("verdict" is sure, unsure, rejected or blank; "label", "confidence",
        "candidates", "model_version", "id"), and a line that says which model answered and how fast."""
        return await view.reply(drawing, request)

    async def predict_live(drawing: list[Path], request: gr.Request) -> Outputs:
        return await view.reply(drawing, request, record=False)

    async def predict_upload(file: dict[str, Any] | None, request: gr.Request) -> Outputs:
        return await view.reply(uploads(file), request)

    pad, parts = build_pad(label="Draw a digit here", elem_id="pad"), view.build()
    outputs: list[Component] = list(parts)
    interface = DrawInterface(predict, pad, outputs)
    view.add_feedback(parts)
    with gr.Column(elem_classes="extras"):
        live = gr.Checkbox(label="Answer while I draw", elem_id="live")
        answer_live = gr.Button("Answer", visible="hidden", elem_id="answer-live")
        view.add_why(parts)
        with gr.Accordion("Can't draw? Upload or paste a picture", open=False):
            upload = build_picture(label="A picture of one digit", sources=["upload", "clipboard"], elem_id="upload")

    live.change(None, live, None, js=ANSWER_WHEN_LIVE, **QUIET)
    copied, drawing = _copy_on_click(answer_live, pad)
    copied.then(predict_live, drawing, outputs, trigger_mode="always_last", **UNLIMITED, **QUIET)
    # Not decoded by Gradio: the workers do.
    upload.upload(predict_upload, upload, outputs, preprocess=False, **UNLIMITED, **QUIET)
    _bind_clear(view, interface, pad, parts, upload)


def _bind_clear(
    view: AnswerView, interface: "DrawInterface", pad: gr.Sketchpad, parts: AnswerParts, upload: gr.Image
) -> None:
    """Clear and the pad's own bin icon. Alone they leave the old ink in the pad, or a pad that can't be drawn on: it
    takes a fresh sheet after they have done their part."""
    for cleared in (interface.clear_button.click, pad.clear):
        cleared(None, None, [*parts[:4], upload], js=NO_ANSWER, **QUIET)
        # Progress is shown beside the pad, for the reason that _copy_on_click names.
        cleared(lambda: (blank_drawing(), view.note()), None, [pad, parts.note], show_progress_on=parts.note, **QUIET)


class DrawInterface(gr.Interface):
    """The pad with its buttons, and the answer beside it. Programs call the function as /predict, with a drawing;
    Submit gives it a copy of the pad's."""

    clear_button: gr.ClearButton

    def __init__(self, predict: Callable[..., Awaitable[Outputs]], pad: gr.Sketchpad, outputs: list[Component]) -> None:
        self._predict, self._pad, self._outputs = predict, pad, outputs
        super().__init__(predict, pad, outputs, flagging_mode="never", analytics_enabled=False)

    def attach_submit_events(self, _submit_btn: gr.Button | None, _stop_btn: gr.Button | None) -> Dependency:
        """Bind the endpoint to nothing on the page, and the button to the same function."""
        endpoint: Dependency = gr.on([], self._predict, self._pad, self._outputs, api_name="predict", **UNLIMITED)
        submit = cast(gr.Button, _submit_btn)  # there is one, since there are inputs
        copied, drawing = _copy_on_click(submit, self._pad)
        # Progress drawn on each of the outputs takes the browser 10 ms more.
        progress: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": self._outputs[0]}
        copied.then(self._predict, drawing, self._outputs, scroll_to_output=True, **progress, **UNLIMITED, **PRIVATE)
        return endpoint

    def attach_clear_events(self, _clear_btn: gr.ClearButton, input_component_column: gr.Column | None) -> None:
        """Bind the button as Gradio does, and keep it."""
        super().attach_clear_events(_clear_btn, input_component_column)
        self.clear_button = _clear_btn


def _copy_on_click(button: gr.Button, pad: gr.Sketchpad) -> tuple[Dependency, gr.JSON]:
    """Have a click on the button copy the pad's drawing into a component of its own. A pad that is an input itself
    exports and uploads its sheets again at each progress update of any event."""
    copy = build_drawing_copy()
    return button.click(None, pad, copy, js=AS_IT_IS, **QUIET), copy
