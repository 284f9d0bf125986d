"""The buttons under an answer: "Right", and "Wrong, it was" with a button for each class, or with the right number as
text. For visitors."""

from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from serving.learning.feedback import Feedback, keep_feedback, small_drawing
from serving.page.widgets.controls import QUIET, client_of_event
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.files import answered_image, uploads
from serving.services import Services

EMPTY = "() => ''"
"""Runs in the browser: the thanks disappear with the answer they are about."""
ANSWERED_TEXT = "details => details?.digits ? details.text : ''"
"""Likewise: of a long number only what is wrong has to be typed."""


def build(services: Services, dataset: str, preprocessed: gr.Image, details: gr.JSON) -> None:
    """Add the feedback buttons of one data set, visible once there is an answer. preprocessed: the image the model saw,
    with the CSS class "preprocessed"; details: has the answer's "id", empty for an answer that is not kept, and of a
    number its "digits"."""
    with gr.Group(elem_classes="feedback"):
        with gr.Row(elem_classes="verdicts"):
            right = gr.Button("Right", size="sm", min_width=72, variant="primary")
            gr.Markdown("Wrong, it was", container=False)
            classes = {
                name: gr.Button(name, size="sm", min_width=40, elem_classes="class")
                for name in SPECS[dataset].class_names
            }
            number = _build_number() if SPECS[dataset].has_numbers else None
        thanks = gr.Markdown(elem_classes="thanks", container=False)

    def sending(label: str | None) -> Callable[..., Awaitable[str]]:
        async def send_label(file: dict[str, Any] | None, answer: Any, request: gr.Request) -> str:
            return await _send(services, dataset, label, file, answer, request)

        return send_label

    async def send_number(text: Any, file: dict[str, Any] | None, answer: Any, request: gr.Request) -> str:
        return await _send(services, dataset, number_of(text), file, answer, request)

    bound: dict[str, Any] = {"preprocess": False, "concurrency_id": "feedback"} | QUIET
    right.click(sending(None), [preprocessed, details], thanks, **bound)
    for label, button in classes.items():
        button.click(sending(label), [preprocessed, details], thanks, **bound)
    preprocessed.change(None, None, thanks, js=EMPTY, **QUIET)
    if number:
        text, button = number
        gr.on([button.click, text.submit], send_number, [text, preprocessed, details], thanks, **bound)
        preprocessed.change(None, details, text, js=ANSWERED_TEXT, **QUIET)


def number_of(text: Any) -> str:
    """The number that somebody typed: without spaces, rows by newline. Raises gr.Error for none."""
    rows = ["".join(row.split()) for row in str(text or "").splitlines()]
    if not any(rows):
        raise page_error("Type the right number first.")
    return "\n".join(filter(None, rows))


async def _send(
    services: Services, dataset: str, label: str | None, file: dict[str, Any] | None, answer: Any, request: gr.Request
) -> str:
    """Keep feedback, and return the thanks. label: None where the answer is right. Raises gr.Error."""
    client = client_of_event(request)
    with show_errors(services, "The feedback could not be kept."):
        services.rates.admit("feedback", client)
        image = drawing = None
        if _is_number(answer):
            _check_kept(services, answer)
        else:
            image = await answered_image(services, dataset, uploads(file), client)
            drawing = await small_drawing(services, id_of(answer), client)
        feedback = Feedback(dataset, label, "page", id_of(answer), 0, image, drawing)
        kept = await services.database_calls.call(keep_feedback, services, feedback, client)
    proposed = ", ".join(kept.proposed.split("\n"))
    return f"Thank you. Kept as {proposed}, to be reviewed before the next model learns from it."


def _check_kept(services: Services, answer: Any) -> None:
    """Raise gr.Error for a number that is not in the history, which alone has its digits' images."""
    if services.recorder is None:
        raise page_error("No history is kept on this server, and without one a number can't be corrected.")
    if not id_of(answer):
        raise page_error("An answer while you draw is not kept. Press Submit, then correct it.")


def _build_number() -> tuple[gr.Textbox, gr.Button]:
    text = gr.Textbox(
        label="The right number", lines=1, max_lines=10, show_label=False, container=False, elem_classes="number-text"
    )
    return text, gr.Button("Send", size="sm", min_width=72, elem_classes="number-send")


def id_of(answer: Any) -> str:
    """The id of an answer's details; empty where it is not kept."""
    return str(answer.get("id", ""))[:64] if isinstance(answer, dict) else ""


def _is_number(answer: Any) -> bool:
    return isinstance(answer, dict) and bool(answer.get("digits"))
