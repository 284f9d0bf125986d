"""The Draw tab: a pad, a wider one for numbers, an upload for those who can't draw, and the answer beside them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from serving.page.widgets.answer import AnswerParts, AnswerView, Outputs, OutputsWithBoxes
from serving.page.widgets.controls import PRIVATE, QUIET, UNLIMITED
from serving.page.widgets.files import uploads
from serving.page.widgets.pad import SQUARE, WIDE, blank_drawing, build_drawing_copy, build_pad
from serving.page.widgets.picture import build_picture
from serving.services import Services

DATASET = "mnist"
SENTENCES = {
    "blank": "Nothing drawn yet. Draw a digit or a number, then press Submit.",
    "rejected": "That does not look like a digit or a number.",
}
UPLOAD = "A picture of a digit, a number or a page of them"
NO_ANSWER = "() => [{}, '', null, null, '', null]"
"""Empties the answer and the upload in the browser, at once: a late answer of the server's would empty what comes
next."""
SHOWN_PAD = "(square, wide, on) => on ? wide : square"
SHOW_PAD = "() => document.querySelector('#draw-tab').scrollIntoView({block: 'nearest'})"
"""Likewise: on a phone the switch is far below the pad."""
ANSWER_WHEN_LIVE = """on => {
    const tab = document.querySelector("#draw-tab");
    const answer = () => setTimeout(() => document.querySelector("#answer-live").click(), 30);
    const undone = key => (key.ctrlKey || key.metaKey) && "zy".includes(key.key.toLowerCase());
    const drawn = event => event.target.closest(".pad") && document.addEventListener("pointerup", answer, {once: true});
    tab.onpointerdown = on ? drawn : null;
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
        "candidates", "model_version", "id"), and a line that says which model answered and how fast. Of several
        digits, side by side or in rows, the label is the number without confidences, rows by newline and ? for what
        is no digit; the image has their images side by side, and the details "text" and "digits" too ("box", left,
        top, right and bottom in px of the picture, "label", "verdict", "confidence", "candidates")."""
        return await view.reply(drawing, request)

    async def answer(drawing: list[Path], request: gr.Request) -> OutputsWithBoxes:
        return await view.reply_with_boxes(drawing, request)

    async def answer_live(drawing: list[Path], request: gr.Request) -> OutputsWithBoxes:
        return await view.reply_with_boxes(drawing, request, record=False)

    async def answer_upload(file: dict[str, Any] | None, request: gr.Request) -> OutputsWithBoxes:
        return await view.reply_with_boxes(uploads(file), request)

    pads = _build_pads()
    parts, digits = view.build(), view.build_number()
    with gr.Column(elem_id="draw"):
        interface = DrawInterface(predict, answer, pads, parts, digits, view)
        with gr.Column(elem_classes="extras"):
            with gr.Row(elem_classes="switches"):
                pads.switch.render()  # type: ignore[no-untyped-call]
                live = gr.Checkbox(label="Answer while I draw", elem_id="live", min_width=160)
            live_button = gr.Button("Answer", visible="hidden", elem_id="answer-live")
            with gr.Accordion("Can't draw? Upload or paste a picture", open=False):
                upload = build_picture(label=UPLOAD, sources=["upload", "clipboard"], elem_id="upload")
    live.change(None, live, None, js=ANSWER_WHEN_LIVE, **QUIET)
    live_copied, drawing = _copy_on_click(live_button, pads)
    live_copied.then(answer_live, drawing, [*parts, digits], trigger_mode="always_last", **UNLIMITED, **QUIET)
    upload.upload(answer_upload, upload, [*parts, digits], preprocess=False, **UNLIMITED, **QUIET)  # workers decode
    _bind_clear(view, interface.clear_button, pads, [*parts[:4], digits, upload], parts.note)


class Pads(NamedTuple):
    """Two pads of which one is shown, and the switch that says which. A pad can't take another size."""

    square: gr.Sketchpad
    wide: gr.Sketchpad
    switch: gr.Checkbox  # not yet on the page


def _build_pads() -> Pads:
    wide = build_pad(WIDE, label="Draw a number here", elem_id="wide-pad", visible=False)
    square = build_pad(label="Draw a digit here", elem_id="pad")
    return Pads(square, wide, gr.Checkbox(label="Wide pad for numbers", elem_id="wide", min_width=160, render=False))


def _bind_clear(
    view: AnswerView, button: gr.ClearButton, pads: Pads, answered: list[Component], note: gr.Markdown
) -> None:
    """Clear, the pads' own bin icons and the switch between them. The first two alone leave the old ink in the pad, or
    a pad that can't be drawn on: it takes a fresh sheet after they have done their part."""

    def fresh(wide: bool) -> tuple[Any, Any, str]:
        sheet = blank_drawing(WIDE if wide else SQUARE)
        return (gr.skip(), sheet, view.note()) if wide else (sheet, gr.skip(), view.note())

    def switch(wide: bool) -> tuple[Any, Any, str]:
        hide = gr.update(value=None, visible=False)
        show = gr.update(value=blank_drawing(WIDE if wide else SQUARE), visible=True)
        return (hide, show, view.note()) if wide else (show, hide, view.note())

    button.add(pads.wide)
    pads.switch.change(None, None, None, js=SHOW_PAD, **QUIET)
    events = {button.click: fresh, pads.square.clear: fresh, pads.wide.clear: fresh, pads.switch.change: switch}
    for event, function in events.items():
        event(None, None, answered, js=NO_ANSWER, **QUIET)
        # Progress is shown beside the pad, for the reason that _copy_on_click names.
        event(function, pads.switch, [pads.square, pads.wide, note], show_progress_on=note, **QUIET)


class DrawInterface(gr.Interface):
    """The pad with its buttons, and the answer beside it. Programs call the function as /predict, with a drawing;
    Submit gives a copy of the pad's to another, whose outputs have the digits of a number too."""

    clear_button: gr.ClearButton

    def __init__(
        self,
        predict: Callable[..., Awaitable[Outputs]],
        answer: Callable[..., Awaitable[OutputsWithBoxes]],
        pads: Pads,
        parts: AnswerParts,
        digits: gr.HTML,
        view: AnswerView,
    ) -> None:
        self._predict, self._answer, self._pads, self._view = predict, answer, pads, view
        self._parts, self._digits = parts, digits
        super().__init__(predict, pads.square, list(parts), flagging_mode="never", analytics_enabled=False)

    def render_output_column(self, _submit_btn_in: gr.Button | None) -> tuple[gr.Button | None, None, None, None, None]:
        """Lay out the answer in its own order. There are no buttons of Gradio's beside it."""
        with gr.Column():
            self._view.lay_out(self._parts, self._digits)
        return _submit_btn_in, None, None, None, None

    def attach_submit_events(self, _submit_btn: gr.Button | None, _stop_btn: gr.Button | None) -> Dependency:
        """Bind the endpoint to nothing on the page, and the button to a function of its own."""
        endpoint: Dependency = gr.on(
            [], self._predict, self._pads.square, list(self._parts), api_name="predict", **UNLIMITED
        )
        submit = cast(gr.Button, _submit_btn)  # there is one, since there are inputs
        copied, drawing = _copy_on_click(submit, self._pads)
        # Progress drawn on each of the outputs takes the browser 10 ms more.
        progress: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": self._parts.label}
        shown = [*self._parts, self._digits]
        copied.then(self._answer, drawing, shown, scroll_to_output=True, **progress, **UNLIMITED, **PRIVATE)
        return endpoint

    def attach_clear_events(self, _clear_btn: gr.ClearButton, input_component_column: gr.Column | None) -> None:
        """Bind the button as Gradio does, and keep it."""
        super().attach_clear_events(_clear_btn, input_component_column)
        self.clear_button = _clear_btn


def _copy_on_click(button: gr.Button, pads: Pads) -> tuple[Dependency, gr.JSON]:
    """Have a click on the button copy the drawing of the pad that is shown into a component of its own. A pad that is
    an input itself exports and uploads its sheets again at each progress update of any event."""
    copy = build_drawing_copy()
    return button.click(None, list(pads), copy, js=SHOWN_PAD, **QUIET), copy
