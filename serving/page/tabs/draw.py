"""The Draw tab: a pad, an upload for those who can't draw, and the answer beside them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from serving.page.widgets.answer import AnswerView, Outputs
from serving.page.widgets.controls import PRIVATE, QUIET
from serving.page.widgets.files import read_upload
from serving.page.widgets.pad import blank_drawing, build_drawing_copy, build_pad

if TYPE_CHECKING:
    from serving.services import Services

DATASET = "mnist"
SENTENCES = {
    "blank": "Nothing drawn yet. Draw a digit from 0 to 9, then press Submit.",
    "rejected": "That does not look like one digit from 0 to 9.",
}
AS_IT_IS = "drawing => drawing"
ANSWER_WHEN_LIVE = """on => {
    const pad = document.querySelector("#pad");
    const answer = () => setTimeout(() => document.querySelector("#answer-live").click(), 30);
    const undone = key => (key.ctrlKey || key.metaKey) && "zy".includes(key.key.toLowerCase());
    pad.onpointerdown = on ? () => document.addEventListener("pointerup", answer, {once: true}) : null;
    document.body.onkeyup = on ? key => undone(key) && answer() : null;
    if (on) answer();
}"""
"""Runs in the browser. Whoever listens to the pad's own changes has it export and upload all its sheets at each stroke,
live or not."""


def build_interface(services: "Services") -> gr.Interface:
    """Pad, answer and endpoint. To be called outside any Blocks; build() puts it into the page."""
    view = AnswerView(services, DATASET, SENTENCES)

    def predict(drawing: list[bytes], request: gr.Request) -> Outputs:
        """Reads one hand-drawn digit. Takes the pad's dict, of which "composite" is read, else "layers" over
        "background": a picture of any size and mode, dark on light or light on dark. Gives the label with its three
        most likely digits (a sentence without confidences if no digit is named), the verdict in words, the 28x28
        image the model saw, the details ("verdict" is sure, unsure, rejected or blank; "label", "confidence",
        "candidates", "model_version", "id"), and a line that says which model answered and how fast."""
        return view.reply(drawing, request)

    return gr.Interface(
        predict,
        build_pad(label="Draw a digit here", elem_id="pad"),
        view.build(),
        api_name="predict",
        flagging_mode="never",
        show_progress="minimal",
        analytics_enabled=False,
    )


def build(services: "Services", interface: gr.Interface) -> None:
    """Fills the tab."""
    view = AnswerView(services, DATASET, SENTENCES)

    def predict_upload(file: dict[str, Any] | None, request: gr.Request) -> Outputs:
        return view.reply(read_upload(file), request)

    interface.render()
    (pad,), outputs = interface.input_components, interface.output_components
    _submit_once(interface, pad, outputs)
    view.add_feedback(outputs)
    with gr.Column(elem_classes="extras"):
        _add_live(view.reply, pad, outputs)
        view.add_why(outputs)
        upload = _add_upload(predict_upload, outputs)
    _add_clear(interface, lambda: (blank_drawing(), *view.nothing(), None), [pad, *outputs, upload])


def _submit_once(interface: gr.Interface, pad: Component, outputs: list[Component]) -> None:
    """Submit sends a copy of the drawing, to the function that programs call with the drawing itself."""
    (predict,) = (event for event in interface.fns.values() if event.api_name == "predict")
    predict.targets.clear()
    submit = next(
        block for block in interface.blocks.values() if isinstance(block, gr.Button) and block.value == "Submit"
    )
    copied, drawing = _copied(submit, pad)
    progress = {"show_progress": "minimal", "show_progress_on": outputs[0]}  # drawn on each part it takes ten ms more
    copied.then(predict.fn, drawing, outputs, scroll_to_output=True, **progress, **PRIVATE)


def _copied(button: gr.Button, pad: Component) -> tuple[Dependency, gr.JSON]:
    """A click on the button puts a copy of the pad's drawing into a part of its own. A pad that is an input itself
    exports and uploads its sheets again each time that the progress of anything is told."""
    copy = build_drawing_copy()
    return button.click(None, pad, copy, js=AS_IT_IS, **QUIET), copy


def _add_live(reply: Callable[[list[bytes]], Outputs], pad: Component, outputs: list[Component]) -> None:
    def predict_live(drawing: list[bytes]) -> Outputs:
        return reply(drawing)

    live = gr.Checkbox(label="Answer while I draw", elem_id="live")
    ask = gr.Button("Answer", visible="hidden", elem_id="answer-live")
    live.change(None, live, None, js=ANSWER_WHEN_LIVE, **QUIET)
    copied, drawing = _copied(ask, pad)
    copied.then(predict_live, drawing, outputs, trigger_mode="always_last", **QUIET)


def _add_upload(predict: Callable[..., Outputs], outputs: list[Component]) -> gr.Image:
    with gr.Accordion("Can't draw? Upload or paste a picture", open=False):
        upload = gr.Image(
            label="A picture of one digit",
            sources=["upload", "clipboard"],
            elem_id="upload",
        )
    upload.upload(predict, upload, outputs, preprocess=False, **QUIET)  # decoding is experiments.preprocessing's
    return upload


def _add_clear(interface: gr.Interface, fresh: Callable[[], Any], everything: list[Component]) -> None:
    """Clear and the pad's own bin icon. Alone they leave the old ink in it, or a pad that can't be drawn on: it takes
    a fresh sheet after they have done their part."""
    clear = next(block for block in interface.blocks.values() if isinstance(block, gr.ClearButton))
    pad, *others = everything
    for cleared in (clear.click, pad.clear):
        # A pad whose progress is shown exports and uploads its sheets whenever the progress of anything is told.
        cleared(fresh, None, everything, show_progress_on=others, **QUIET)
