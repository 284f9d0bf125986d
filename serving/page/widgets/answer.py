"""The answer as a tab shows it, to a drawing or to a photo: its parts, what fills them, and why it came out."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component
from PIL import Image

from experiments.data.specs import SPECS
from experiments.preprocessing.decoding import ImageError
from serving.core import logs
from serving.page.widgets import feedback_buttons
from serving.page.widgets.controls import PRIVATE, QUIET
from serving.page.widgets.files import cache_image
from serving.prediction.single import answer, note

if TYPE_CHECKING:
    import numpy as np

    from model_loader import Classifier
    from serving.services import Services

Outputs = tuple[dict[str, float] | str, str, str | None, dict[str, Any], str]
HIDE = "() => ({__type__: 'update', value: null, visible: false})"
"""gr.update(value=None, visible=False), in the browser: no second question to the server after each answer."""
DETAILS = ("verdict", "label", "confidence", "candidates", "model_version")


@dataclass(frozen=True, eq=False)
class AnswerView:
    """One tab's answers, by the model of one data set. `sentences`: verdict -> what is said where no class is named;
    that of a blank also where there is nothing to explain yet."""

    services: "Services"
    dataset: str
    sentences: Mapping[str, str]

    @property
    def classifier(self) -> "Classifier":
        """Raises ModelError where the data set has no model."""
        return self.services.classifier(self.dataset)

    def build(self) -> list[Component]:
        """The parts, in the order of Outputs."""
        colour = SPECS[self.dataset].image_shape[2] == 3
        return [
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
            gr.Markdown(note(self.classifier), label="Note", elem_classes="note"),
        ]

    def nothing(self) -> tuple[None, str, None, None, str]:
        """What the parts hold before the first answer."""
        return None, "", None, None, note(self.classifier)

    def add_why(self, outputs: list[Component]) -> None:
        """On demand: which parts of the picture made the answer; gone with the answer that it explains."""
        seen = outputs[2]

        def explain(image: "np.ndarray | None") -> dict[str, Any]:
            if image is None:
                raise gr.Error(f"There is no answer to explain. {self.sentences['blank']}", print_exception=False)
            shown = self.classifier.explain(image.reshape(SPECS[self.dataset].image_shape))
            return gr.update(value=cache_image(Image.fromarray(shown)), visible=True)

        ask = gr.Button("Why this answer?")
        label = "Blue speaks for it, orange against it"
        why = gr.Image(
            label=label, format="png", height=300, buttons=[], interactive=False, visible=False, elem_classes="why"
        )
        ask.click(explain, seen, why, show_progress="minimal", **PRIVATE)
        seen.change(None, None, why, js=HIDE, **QUIET)

    def add_feedback(self, outputs: list[Component]) -> None:
        """Buttons that say whether the answer is right."""
        feedback_buttons.build(self.services, self.dataset, preprocessed=outputs[2], details=outputs[3])

    def reply(self, sheets: list[bytes], request: gr.Request | None = None) -> Outputs:
        """sheets: as `answer` takes them. What a request asks for is kept; live mode's answers, which have none, are
        not. Raises gr.Error."""
        try:
            found = answer(self.classifier, sheets, self.sentences)
        except ImageError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception:
            logging.getLogger(__name__).exception("a picture could not be answered")
            self.services.metrics.add_problem("", 500, "A picture could not be answered.")
            message = "The picture could not be answered. The fault is on this side and has been logged; try again."
            raise gr.Error(message, print_exception=False) from None
        said, number = found.prediction, ""
        if request is not None:
            address = request.client.host if request.client else ""
            number = logs.request_id(None)
            self.services.keep(self.dataset, number, "page", address, found.milliseconds, [said], sheets)
        seen = None if said.image is None else cache_image(Image.fromarray(said.image.squeeze()))
        details = {name: getattr(said, name) for name in DETAILS} | {"id": number}
        return found.label, found.words, seen, details, found.note
