"""The answer that a tab shows to a drawing or a photo: its components, what fills them, and its explanation."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component
from PIL import Image

from experiments.data.specs import SPECS
from experiments.inference.predictions import Prediction
from model_loader import Classifier
from serving.core import logs
from serving.core.errors import Refused
from serving.page.widgets import feedback_buttons, share
from serving.page.widgets.controls import PRIVATE, QUIET, client_of_event
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.files import answered_image, cache_image, if_room, read_uploads, uploads
from serving.page.widgets.number import PREVIEW, number_details, number_html, number_words, side_by_side
from serving.prediction.prepare import Prepared, Sheets, Wanted
from serving.services import Services

Outputs = tuple[dict[str, float] | str | None, str, str | None, dict[str, Any] | None, str]
OutputsWithBoxes = tuple[dict[str, float] | str | None, str, str | None, dict[str, Any] | None, str, str]
"""Those of an answer, and HTML of the digits of a number; empty for anything else."""
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
        """Create the components, which `lay_out` puts on the page."""
        colour = SPECS[self.dataset].image_shape[2] == 3
        return AnswerParts(
            gr.Label(label="Answer", num_top_classes=3, elem_classes="answer", render=False),
            gr.Markdown(label="Verdict", elem_classes="verdict", render=False),
            gr.Image(
                label="What the model saw",
                image_mode="RGB" if colour else "L",
                format="png",
                height=216,
                buttons=[],
                interactive=False,
                alt_text="What the model saw",
                elem_classes="preprocessed",
                render=False,
            ),
            gr.JSON(label="Details", visible=False, render=False),
            gr.Markdown(self.note(), label="Note", elem_classes="note", render=False),
        )

    def build_number(self) -> gr.HTML:
        """Create the component for the digits of a number, in which they replace the image that the model saw."""
        return gr.HTML(label="Digits", elem_classes="digits", render=False)

    def lay_out(self, parts: AnswerParts, digits: gr.HTML | None = None) -> None:
        """Put an answer on the page, with the buttons that say whether it is right, the one that asks why
        and the one that shares it."""
        _render(parts.label, parts.verdict, parts.preprocessed, *([] if digits is None else [digits]))
        feedback_buttons.build(self.services, self.dataset, parts.preprocessed, parts.details)
        self._build_why(parts)
        share.build_button(self.services, parts.preprocessed, parts.details)
        _render(parts.details, parts.note)

    def nothing(self) -> Outputs:
        """The components' values before the first answer."""
        return None, "", None, None, self.note()

    def _build_why(self, parts: AnswerParts) -> None:
        """A button that shows which parts of the picture led to the answer. A new answer hides the explanation."""

        async def explain(file: dict[str, Any] | None, request: gr.Request) -> dict[str, Any]:
            files = uploads(file)
            if not files:
                raise page_error(f"There is no answer to explain. {self.sentences['blank']}")
            with show_errors(self.services, "The answer could not be explained."):
                image = await answered_image(self.services, self.dataset, files, client_of_event(request))
                explanation = await asyncio.to_thread(self.classifier.explain, image)
            return gr.update(value=cache_image(Image.fromarray(explanation)), visible=True)

        ask = gr.Button("Why this answer?", elem_classes="ask-why")
        label = "Blue speaks for it, orange against it"
        why = gr.Image(
            label=label,
            format="png",
            height=300,
            buttons=[],
            interactive=False,
            visible=False,
            alt_text=label,
            elem_classes="why",
        )
        ask.click(explain, parts.preprocessed, why, preprocess=False, show_progress="minimal", **PRIVATE)
        parts.preprocessed.change(None, None, why, js=HIDE, **QUIET)

    async def reply(self, files: Sequence[Path], request: gr.Request, record: bool = True) -> Outputs:
        """Answer a drawing or photo and record the answer, though not of an example. files: its sheets, the lowest
        first; none is a blank. Raises gr.Error."""
        label, words, image, details, note, _ = await self._reply(files, request, record, boxes=False)
        return label, words, image, details, note

    async def reply_with_boxes(
        self, files: Sequence[Path], request: gr.Request, record: bool = True
    ) -> OutputsWithBoxes:
        """Likewise for the page, which shows where the digits of a number are."""
        return await self._reply(files, request, record, boxes=True)

    async def reply_live(self, files: Sequence[Path], request: gr.Request) -> OutputsWithBoxes | tuple[()]:
        """Likewise in live mode, where nothing is recorded; none where there is no drawing, or the server is busy."""
        if not files or self.services.batcher.is_busy:
            return ()
        return await self._reply(files, request, record=False, boxes=True)

    async def _reply(self, files: Sequence[Path], request: gr.Request, record: bool, boxes: bool) -> OutputsWithBoxes:
        client, request_id, shown = client_of_event(request), "", Prepared(None)
        with (
            show_errors(self.services, "The picture could not be answered."),
            self.services.load.request(client) as held,
        ):
            sheets = await read_uploads(files, held, self.services.limits)
            started = time.perf_counter()
            prediction = await self.services.batcher.predict_one(Wanted(self.dataset), sheets, client, "auto")
            milliseconds = 1000 * (time.perf_counter() - started)
            if boxes and prediction.digits:
                shown = await self._preview(sheets, client)
        if record:
            request_id = logs.request_id()
            self.services.record(self.dataset, request_id, "page", client, milliseconds, [prediction], sheets)
        outputs = await asyncio.to_thread(self._outputs, prediction, milliseconds, request_id)
        if not boxes or not prediction.digits:
            return *outputs, ""
        return *outputs, await asyncio.to_thread(number_html, prediction, shown.preview, shown.size)

    async def _preview(self, sheets: Sheets, client: str) -> Prepared:
        """A small picture of a drawing; empty where the workers refuse it, since the answer is there without it."""
        try:
            return await self.services.worker_pool.prepare_one(Wanted(self.dataset, preview=PREVIEW), sheets, client)
        except Refused:
            return Prepared(None)

    def _outputs(self, prediction: Prediction, milliseconds: float, request_id: str) -> Outputs:
        probabilities = zip(SPECS[self.dataset].class_names, prediction.probabilities.tolist(), strict=True)
        answer = prediction.label if prediction.digits else dict(probabilities)
        label = self.sentences.get(prediction.verdict) or answer
        pixels = side_by_side(prediction.image) if prediction.digits else prediction.image
        image = None if pixels is None else if_room(cache_image, Image.fromarray(pixels.squeeze()))
        details = {name: getattr(prediction, name) for name in DETAILS} | {"id": request_id}
        words = number_words(prediction) if prediction.digits else verdict_words(prediction)
        if prediction.digits:
            details |= number_details(prediction)
        return label, words, image, details, f"{self.note()} Read in {milliseconds:.1f} ms."

    def note(self) -> str:
        """A line that says which model answers."""
        return f"Answers come from {self.classifier.describe()}."


def _render(*components: Component) -> None:
    for component in components:
        component.render()  # type: ignore[no-untyped-call]


def verdict_words(prediction: Prediction) -> str:
    """The verdict in a few words; a blank and a rejected picture have a sentence in the label's place instead."""
    if prediction.verdict == "unsure":
        return f"Not sure: {' or '.join(prediction.candidates)}?"
    return "Sure." if prediction.verdict == "sure" else ""
