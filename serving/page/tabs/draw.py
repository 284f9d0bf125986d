"""The Draw tab: a pad, a wider one for numbers, an upload for those who can't draw, and the answer beside them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from serving.page.languages import as_sent
from serving.page.widgets.answer import AnswerParts, AnswerView, Outputs, OutputsWithBoxes
from serving.page.widgets.controls import PRIVATE, QUIET, UNLIMITED
from serving.page.widgets.examples import build_examples, cache_example
from serving.page.widgets.files import uploads
from serving.page.widgets.last_answers import CHOOSE, KEEP, build_last_answers, cache_drawing
from serving.page.widgets.pad import SQUARE, WIDE, Pads, blank_drawing, build_pads, copy_on_click, pads_showing
from serving.page.widgets.picture import build_picture
from serving.services import Services

DATASET = "mnist"
SENTENCES = {
    "blank": "Nothing drawn yet. Draw a digit or a number, then press Submit.",
    "rejected": "That does not look like a digit or a number.",
}
EXAMPLES = {
    "three.webp": "A three",
    "one.webp": "A one as in Europe, with a long upstroke",
    "seven.webp": "A seven as in Europe, with a crossbar",
    "four-or-nine.webp": "A four or a nine",
    "letter.webp": "A letter",
    "number.webp": "A number",
    "paper.webp": "A photo of a number on paper",
}
UPLOAD = "A picture of a digit, a number or a page of them"
NO_ANSWER = """() => {
    document.querySelector("#draw-tab").live?.drop();
    return [{}, "", null, null, "", null];
}"""
"""Empties the answer and the upload in the browser, at once: a late answer of the server's would empty what comes
next."""
ASK_LIVE = "drawing => document.querySelector('#draw-tab').live.ask() ? drawing : null"
SHOW_LIVE = "answer => document.querySelector('#draw-tab').live.isWanted() ? answer : []"
"""Around a live answer, in the browser: neither asked for nor shown once the drawing is submitted or gone."""
SHOW_PAD = "() => document.querySelector('#draw-tab').scrollIntoView({block: 'nearest'})"
"""In the browser: on a phone the switch is far below the pad."""
EMPTY_PADS = """() => {
    document.querySelector("#pad, #wide-pad").scrollIntoView({block: "nearest"});
    return [null, null];
}"""
"""Likewise before an example. As with Clear, a pad takes another sheet only after none."""
ANSWER_IF_LIVE = "on => { if (on) document.querySelector('#answer-live').click(); }"
SCRIPT = Path(__file__).with_suffix(".js")
"""What the tab does in the browser by itself. A listener to the pad's own changes would have it export and upload all
its sheets at each stroke, live or not."""
KEYS = """
| | |
| --- | --- |
| Enter | Submit |
| Esc, Delete | Clear |
| Ctrl+Z, Ctrl+Y | undo, redo |
| 0 to 9 | the answer is wrong, it was this digit |
"""


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

    pads = build_pads()
    parts, digits = view.build(), view.build_number()
    answered = [*parts, digits]
    with gr.Column(elem_id="draw"):
        interface = DrawInterface(predict, answer, pads, parts, digits, view)
        with gr.Column(elem_classes="extras"):
            _add_examples(view, pads, answered)
            with gr.Row(elem_classes="switches"):
                pads.switch.render()  # type: ignore[no-untyped-call]
                _add_live(view, pads, answered)
            upload = _add_upload(view, answered)
            _add_last_answers(view, pads, parts, digits, interface)
            _add_keys()
    _bind_clear(view, interface.clear_button, pads, [*parts[:4], digits, upload], parts.note)


def _add_examples(view: AnswerView, pads: Pads, answered: list[Component]) -> None:
    """Pictures that one click puts on the square pad and answers."""

    async def answer_example(index: Any, request: gr.Request) -> tuple[Any, ...]:
        file = await asyncio.to_thread(cache_example, EXAMPLES, index)
        answer = await view.reply_with_boxes([file], request, record=False)
        return *await asyncio.to_thread(pads_showing, file), *answer

    examples = build_examples(EXAMPLES)
    emptied = examples.click(None, None, [pads.square, pads.wide], js=EMPTY_PADS, **QUIET)
    emptied.then(answer_example, examples, [*pads, *answered], **UNLIMITED, **QUIET)


def _add_live(view: AnswerView, pads: Pads, answered: list[Component]) -> None:
    """The switch of the live mode, whose answers are not kept."""

    async def answer_live(drawing: list[Path], request: gr.Request) -> list[Any]:
        outputs = await view.reply_live(drawing, request)
        return [as_sent(component, value, request) for component, value in zip(answered, outputs, strict=False)]

    live = gr.Checkbox(view.services.settings.live, label="Answer while I draw", elem_id="live", min_width=160)
    button = gr.Button("Answer", visible="hidden", elem_id="answer-live")
    live.input(None, live, None, js=ANSWER_IF_LIVE, **QUIET)
    copied, drawing = copy_on_click(button, pads)
    # One at a time: of the strokes during an answer the last one is answered next.
    one = {"js": ASK_LIVE, "trigger_mode": "always_last"} | UNLIMITED | QUIET
    answer = gr.JSON(visible="hidden")
    copied.then(answer_live, drawing, answer, **one).then(None, answer, answered, js=SHOW_LIVE, **QUIET)


def _add_upload(view: AnswerView, answered: list[Component]) -> gr.Image:
    """The upload for those who can't draw."""

    async def answer_upload(file: dict[str, Any] | None, request: gr.Request) -> OutputsWithBoxes:
        return await view.reply_with_boxes(uploads(file), request)

    with gr.Accordion("Can't draw? Upload or paste a picture", open=False):
        upload = build_picture(label=UPLOAD, sources=["upload", "clipboard"], elem_id="upload")
    upload.upload(answer_upload, upload, answered, preprocess=False, **UNLIMITED, **QUIET)  # workers decode
    return upload


def _add_last_answers(
    view: AnswerView, pads: Pads, parts: AnswerParts, digits: gr.HTML, interface: "DrawInterface"
) -> None:
    """What was submitted in this browser, and the way back to it: drawing and answer, which is not kept once more."""

    async def show_again(drawing: Any, request: gr.Request) -> tuple[Any, ...]:
        file = await asyncio.to_thread(cache_drawing, drawing)
        answer = await view.reply_with_boxes([file], request, record=False)
        return *await asyncio.to_thread(pads_showing, file), *answer

    last = build_last_answers()
    answer = [interface.drawing, parts.details, last.kept]
    interface.submitted.success(None, answer, [last.kept, last.shown], js=KEEP, **QUIET)
    emptied = last.again.click(None, last.kept, [last.chosen, pads.square, pads.wide], js=CHOOSE, **QUIET)
    emptied.then(show_again, last.chosen, [*pads, *parts, digits], **UNLIMITED, **QUIET)


def _add_keys() -> None:
    """The script of the tab, and the help on its keys."""
    with gr.Accordion("Keys", open=False, elem_id="keys"):
        gr.Markdown(KEYS)
    gr.on(None, None, js=SCRIPT.read_text(), **QUIET)


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
    pads.switch.input(None, None, None, js=SHOW_PAD, **QUIET)
    events = {button.click: fresh, pads.square.clear: fresh, pads.wide.clear: fresh, pads.switch.input: switch}
    for event, function in events.items():
        event(None, None, answered, js=NO_ANSWER, **QUIET)
        # Progress is shown beside the pad, for the reason that copy_on_click names.
        event(function, pads.switch, [pads.square, pads.wide, note], show_progress_on=note, **QUIET)


class DrawInterface(gr.Interface):
    """The pad with its buttons, and the answer beside it. Programs call the function as /predict, with a drawing;
    Submit gives a copy of the pad's to another, whose outputs have the digits of a number too."""

    clear_button: gr.ClearButton
    submitted: Dependency  # Submit's answer
    drawing: gr.JSON  # of which it is

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
        submit.elem_id = "submit"  # for the keys
        copied, self.drawing = copy_on_click(submit, self._pads)
        # Progress drawn on each of the outputs takes the browser 10 ms more.
        progress: dict[str, Any] = {"show_progress": "minimal", "show_progress_on": self._parts.label}
        shown = [*self._parts, self._digits]
        self.submitted = copied.then(
            self._answer, self.drawing, shown, scroll_to_output=True, **progress, **UNLIMITED, **PRIVATE
        )
        return endpoint

    def attach_clear_events(self, _clear_btn: gr.ClearButton, input_component_column: gr.Column | None) -> None:
        """Bind the button as Gradio does, and keep it."""
        super().attach_clear_events(_clear_btn, input_component_column)
        self.clear_button, _clear_btn.elem_id = _clear_btn, "clear"
