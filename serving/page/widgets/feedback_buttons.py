"""The buttons under an answer: "Right", and "Wrong, it was" with a button for each class. For visitors."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.learning.feedback import Feedback, keep_feedback
from serving.page.widgets.controls import QUIET
from serving.page.widgets.errors import show_errors
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

    def feedback_event(label: str | None) -> Callable[..., str]:
        def send(image: np.ndarray | None, answer: dict[str, Any] | None, request: gr.Request) -> str:
            address = request.client.host if request.client else ""
            with show_errors(services, "The feedback could not be kept."):
                services.rates.admit("feedback", address)
                request_id = str((answer or {}).get("id", ""))[:64]
                feedback = Feedback(dataset, label, "page", request_id, 0, _answered_image(dataset, image))
                kept = keep_feedback(services, feedback, address)
            return f"Thank you. Kept as {kept.proposed}, to be reviewed before the next model learns from it."

        return send

    right.click(feedback_event(None), [preprocessed, details], thanks, concurrency_id="feedback", **QUIET)
    for label, button in classes.items():
        button.click(feedback_event(label), [preprocessed, details], thanks, concurrency_id="feedback", **QUIET)
    preprocessed.change(None, None, thanks, js=EMPTY, **QUIET)


def _answered_image(dataset: str, image: np.ndarray | None) -> np.ndarray:
    """image: uint8 [H, W] or [H, W, 3], as the page has it. Return it uint8 [H, W, C]. Raises Refused without one."""
    shape = SPECS[dataset].image_shape
    if image is None or image.size != np.prod(shape) or image.shape[:2] != shape[:2]:
        raise Refused(422, "no_answer", "There is no answer here to correct.", "Submit something first.")
    return image.reshape(shape)
