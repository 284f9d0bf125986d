"""Under an answer: "Right", and "Wrong, it was" with a button for each class. For visitors."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.components import Component

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.learning.feedback import Feedback, keep_feedback
from serving.page.widgets.controls import QUIET, show_errors

if TYPE_CHECKING:
    from serving.services import Services

FORGET = "() => ''"
"""Runs in the browser: the thanks go with the answer that they are about."""


def build(services: "Services", dataset: str, preprocessed: Component, details: Component) -> None:
    """Add the feedback buttons of one data set, visible once there is an answer. `preprocessed`: the image the model
    saw, with the CSS class `preprocessed`; `details`: holds the answer's "id", empty if the answer is not kept."""

    def telling(label: str | None) -> Callable[..., str]:
        def tell(image: np.ndarray | None, answer: dict[str, Any] | None, request: gr.Request) -> str:
            return _thanks(services, dataset, label, image, answer or {}, request)

        return tell

    with gr.Group(elem_classes="feedback"):
        with gr.Row(elem_classes="verdicts"):
            right = gr.Button("Right", size="sm", min_width=72, variant="primary")
            gr.Markdown("Wrong, it was", container=False)
            classes = {name: gr.Button(name, size="sm", min_width=40) for name in SPECS[dataset].class_names}
        told = gr.Markdown(elem_classes="thanks", container=False)
    for label, button in {None: right, **classes}.items():
        button.click(telling(label), [preprocessed, details], told, concurrency_id="feedback", **QUIET)
    preprocessed.change(None, None, told, js=FORGET, **QUIET)


def _thanks(
    services: "Services",
    dataset: str,
    label: str | None,
    image: np.ndarray | None,
    answer: dict[str, Any],
    request: gr.Request,
) -> str:
    address = request.client.host if request.client else ""
    with show_errors(services, "The correction could not be kept."):
        services.rates.admit("feedback", address)
        feedback = Feedback(dataset, label, "page", str(answer.get("id", ""))[:64], 0, _image(dataset, image))
        kept = keep_feedback(services, feedback, address)
    return f"Thank you. Kept as {kept.proposed}, and looked at before the next model learns from it."


def _image(dataset: str, image: np.ndarray | None) -> np.ndarray:
    """image: uint8 [H, W] or [H, W, 3], as the page shows it. Returns uint8 as the data set has it. Raises Refused."""
    shape = SPECS[dataset].image_shape
    if image is None or image.size != np.prod(shape) or image.shape[:2] != shape[:2]:
        raise Refused(422, "no_answer", "There is no answer here to correct.", "Submit something first.")
    return image.reshape(shape)
