"""The buttons under an answer: "Right", and "Wrong, it was" with a button for each class. For visitors."""

from collections.abc import Awaitable, Callable
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from serving.learning.feedback import Feedback, keep_feedback, small_drawing
from serving.page.widgets.controls import QUIET, client_of_event
from serving.page.widgets.errors import show_errors
from serving.page.widgets.files import answered_image, uploads
from serving.services import Services

EMPTY = "() => ''"
"""Runs in the browser: the thanks disappear with the answer they are about."""


def build(services: Services, dataset: str, preprocessed: gr.Image, details: gr.JSON) -> None:
    """Add the feedback buttons of one data set, visible once there is an answer. preprocessed: the image the model saw,
    with the CSS class "preprocessed"; details: has the answer's "id", empty for an answer that is not kept."""
    with gr.Group(elem_classes="feedback"):
        with gr.Row(elem_classes="verdicts"):
            right = gr.Button("Right", size="sm", min_width=72, variant="primary")
            gr.Markdown("Wrong, it was", container=False)
            classes = {name: gr.Button(name, size="sm", min_width=40) for name in SPECS[dataset].class_names}
        thanks = gr.Markdown(elem_classes="thanks", container=False)

    def feedback_event(label: str | None) -> Callable[..., Awaitable[str]]:
        async def send(file: dict[str, Any] | None, answer: Any, request: gr.Request) -> str:
            client = client_of_event(request)
            with show_errors(services, "The feedback could not be kept."):
                services.rates.admit("feedback", client)
                request_id = str(answer.get("id", ""))[:64] if isinstance(answer, dict) else ""
                image = await answered_image(services, dataset, uploads(file), client)
                drawing = await small_drawing(services, request_id, client)
                feedback = Feedback(dataset, label, "page", request_id, 0, image, drawing)
                kept = await services.database_calls.call(keep_feedback, services, feedback, client)
            return f"Thank you. Kept as {kept.proposed}, to be reviewed before the next model learns from it."

        return send

    bound: dict[str, Any] = {"preprocess": False, "concurrency_id": "feedback"} | QUIET
    right.click(feedback_event(None), [preprocessed, details], thanks, **bound)
    for label, button in classes.items():
        button.click(feedback_event(label), [preprocessed, details], thanks, **bound)
    preprocessed.change(None, None, thanks, js=EMPTY, **QUIET)
