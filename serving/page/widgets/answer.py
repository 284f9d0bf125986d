"""The answer that a tab shows to a drawing or a photo: its components, what fills them, and its explanation."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from experiments.data.specs import SPECS
from experiments.inference.predictions import Prediction
from model_loader import Classifier
from serving.core import logs
from serving.page.widgets import feedback_buttons
from serving.page.widgets.controls import PRIVATE, QUIET
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.files import cache_image
from serving.prediction.predict import predict_one
from serving.services import Services

Outputs = tuple[dict[str, float] | str | None, str, str | None, dict[str, Any] | None, str]
HIDE = "() => ({__type__: 'update', value: null, visible: false})"
"""gr.update(value=None, visible=False), in the browser: it saves a request to the server after each answer."""
DETAILS = ("verdict", "label", "confidence", "candidates", "model_version")


class AnswerParts(NamedTuple):
    """The components of an answer, in the order of Outputs."""

    label: gr.Label
    verdict: gr.Markdown
    preprocessed: gr.Image
    details: gr.JSON
    note: gr.Markdown


@dataclass(frozen=True, eq=False)
class AnswerView:
    """One tab's answers, by the model of one data set. `sentences`: verdict -> the text shown in place of a label; that
    of a blank also where there is nothing to explain yet."""

    services: Services
    dataset: str
    sentences: Mapping[str, str]

    @property
    def classifier(self) -> Classifier:
        """The model. Raises ModelError if the data set has none."""
        return self.services.classifier(self.dataset)

    def build(self) -> AnswerParts:
        """Create the components."""
        colour = SPECS[self.dataset].image_shape[2] == 3
        return AnswerParts(
            gr.Label(label="Answer", num_top_classes=3, elem_classes="answer"),
            gr.Markdown(label="Verdict", elem_classes="verdict"),
            gr.Image(
                label="What the model saw",
                image_mode="RGB" if colour else "L",
                format="png",
                height=216,
                buttons=[],
                interactive=False,
                elem_classes="preprocessed",
            ),
            gr.JSON(label="Details", visible=False),
            gr.Markdown(self.note(), label="Note", elem_classes="note"),
        )

    def nothing(self) -> Outputs:
        """The components' values before the first answer."""
        return None, "", None, None, self.note()

    def add_why(self, parts: AnswerParts) -> None:
        """Add a button that shows which parts of the picture led to the answer. A new answer hides the explanation."""

        def explain(image: np.ndarray | None) -> dict[str, Any]:
            if image is None:
                raise page_error(f"There is no answer to explain. {self.sentences['blank']}")
            explanation = self.classifier.explain(image.reshape(SPECS[self.dataset].image_shape))
            return gr.update(value=cache_image(Image.fromarray(explanation)), visible=True)

        ask = gr.Button("Why this answer?")
        label = "Blue speaks for it, orange against it"
        why = gr.Image(
            label=label, format="png", height=300, buttons=[], interactive=False, visible=False, elem_classes="why"
        )
        ask.click(explain, parts.preprocessed, why, show_progress="minimal", **PRIVATE)
        parts.preprocessed.change(None, None, why, js=HIDE, **QUIET)

    def add_feedback(self, parts: AnswerParts) -> None:
        """Add the buttons that say whether the answer is right."""
        feedback_buttons.build(self.services, self.dataset, parts.preprocessed, parts.details)

    def reply(self, sheets: list[bytes], request: gr.Request | None = None) -> Outputs:
        """Answer a drawing or photo and record the answer; without a request, in live mode, it is not recorded. sheets:
        as predict_one takes them. Raises gr.Error."""
        started = time.perf_counter()
        with show_errors(self.services, "The picture could not be answered."):
            prediction = predict_one(self.classifier, sheets)
        milliseconds, request_id = 1000 * (time.perf_counter() - started), ""
        if request is not None:
            address = request.client.host if request.client else ""
            request_id = logs.request_id()
            self.services.record(self.dataset, request_id, "page", address, milliseconds, [prediction], sheets)
        return self._outputs(prediction, milliseconds, request_id)

    def _outputs(self, prediction: Prediction, milliseconds: float, request_id: str) -> Outputs:
        probabilities = zip(SPECS[self.dataset].class_names, prediction.probabilities.tolist(), strict=True)
        label = self.sentences.get(prediction.verdict) or dict(probabilities)
        image = None if prediction.image is None else cache_image(Image.fromarray(prediction.image.squeeze()))
        details = {name: getattr(prediction, name) for name in DETAILS} | {"id": request_id}
        return label, verdict_words(prediction), image, details, f"{self.note()} Read in {milliseconds:.1f} ms."

    def note(self) -> str:
        """A line that says which model answers."""
        return f"Answers come from {self.classifier.describe()}."


def verdict_words(prediction: Prediction) -> str:
    """The verdict in a few words; a blank and a rejected picture have a sentence in the label's place instead."""
    if prediction.verdict == "unsure":
        return f"Not sure: {' or '.join(prediction.candidates)}?"
    return "Sure." if prediction.verdict == "sure" else ""
