"""The Draw tab: a pad, an upload for those who can't draw, and the answer beside them."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.components import Component

from experiments.preprocessing import ImageError
from serving import telemetry
from serving.answer import answer, note
from serving.pad import blank, build_pad
from serving.services import DEFAULT

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.services import Services

Outputs = tuple[dict[str, float] | str, str, np.ndarray | None, dict[str, Any], str]
HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}
COUNT_WHEN_LIVE = "(live, strokes) => live ? strokes + 1 : strokes"
"""Runs in the browser, so that a drawing is sent while it grows only when live mode is on."""


def build_interface(services: "Services") -> gr.Interface:
    """Pad, answer and endpoint. To be called outside any Blocks; build() puts it into the page."""

    def predict(drawing: list[bytes], request: gr.Request) -> Outputs:
        """Reads one hand-drawn digit. Takes the pad's dict, of which "composite" is read, else "layers" over
        "background": a picture of any size and mode, dark on light or light on dark. Gives the label with its three
        most likely digits (a sentence without confidences if no digit is named), the verdict in words, the 28x28
        image the model saw, the details ("verdict" is sure, unsure, not_a_digit or blank; "label", "confidence",
        "candidates", "model_version"), and a line that says which model answered and how fast."""
        return _reply(services, drawing, request)

    return gr.Interface(
        predict,
        build_pad(label="Draw a digit here", elem_id="pad"),
        _build_outputs(services.classifier(DEFAULT)),
        api_name="predict",
        flagging_mode="never",
        show_progress="minimal",
        analytics_enabled=False,
    )


def build(services: "Services", interface: gr.Interface) -> None:
    """Fills the tab."""
    classifier = services.classifier(DEFAULT)

    def predict_live(drawing: list[bytes]) -> Outputs:
        return _reply(services, drawing)

    def predict_upload(file: dict[str, Any], request: gr.Request) -> Outputs:
        return _reply(services, [Path(file["path"]).read_bytes()], request)

    interface.render()
    (pad,), outputs = interface.input_components, interface.output_components
    with gr.Column(elem_id="extras"):
        _add_live(predict_live, pad, outputs)
        _add_why(classifier, outputs)
        upload = _add_upload(predict_upload, outputs)
    everything = [pad, *outputs, upload]
    _add_clear(interface, lambda: (blank(), None, "", None, None, note(classifier), None), everything)


def _build_outputs(classifier: "Classifier") -> list[Component]:
    return [
        gr.Label(label="Answer", num_top_classes=3, elem_id="answer"),
        gr.Markdown(label="Verdict", elem_id="verdict"),
        gr.Image(label="What the model saw", image_mode="L", format="png", height=216, buttons=[], elem_id="seen"),
        gr.JSON(label="Details", visible=False),
        gr.Markdown(note(classifier), label="Note", elem_id="note"),
    ]


def _add_live(predict: Callable[..., Outputs], pad: Component, outputs: list[Component]) -> None:
    live = gr.Checkbox(label="Answer while I draw", elem_id="live")
    strokes = gr.Number(0, visible="hidden")
    gr.on([pad.change, live.change], None, [live, strokes], strokes, js=COUNT_WHEN_LIVE, **HIDDEN)
    strokes.change(predict, pad, outputs, trigger_mode="always_last", **HIDDEN)


def _add_why(classifier: "Classifier", outputs: list[Component]) -> None:
    """On demand: which parts of the drawing made the answer; gone with the answer that it explains."""
    seen = outputs[2]

    def explain(image: np.ndarray | None) -> dict[str, Any]:
        if image is None:
            raise gr.Error("There is no answer to explain yet. Draw a digit and press Submit.", print_exception=False)
        return gr.update(value=classifier.explain(image[..., np.newaxis]), visible=True)

    ask = gr.Button("Why this answer?")
    label = "Blue parts speak for the answer, orange ones against it"
    why = gr.Image(label=label, format="png", height=300, buttons=[], visible=False, elem_id="why")
    ask.click(explain, seen, why, **HIDDEN)
    seen.change(lambda: gr.update(value=None, visible=False), None, why, **HIDDEN)


def _add_upload(predict: Callable[..., Outputs], outputs: list[Component]) -> gr.Image:
    with gr.Accordion("Can't draw? Upload or paste a picture", open=False):
        upload = gr.Image(
            label="A picture of one digit",
            sources=["upload", "clipboard"],
            elem_id="upload",
        )
    upload.upload(predict, upload, outputs, preprocess=False, **HIDDEN)  # decoding is experiments.preprocessing's
    return upload


def _add_clear(interface: gr.Interface, fresh: Callable[[], Any], everything: list[Component]) -> None:
    """Clear and the pad's own bin icon. Alone they leave the old ink in it, or a pad that can't be drawn on: it takes
    a fresh sheet after they have done their part."""
    clear = next(block for block in interface.blocks.values() if isinstance(block, gr.ClearButton))
    pad = everything[0]
    for cleared in (clear.click, pad.clear):
        cleared(fresh, None, everything, **HIDDEN)


def _reply(services: "Services", sheets: list[bytes], request: gr.Request | None = None) -> Outputs:
    """What a request asks for is kept; live mode's answers, which have none, are not."""
    try:
        found = answer(services.classifier(DEFAULT), sheets)
    except ImageError as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        logging.getLogger(__name__).exception("a drawing could not be answered")
        services.metrics.problem("", 500, "A drawing could not be answered.")
        message = "The drawing could not be answered. The fault is on this side and has been logged; try again."
        raise gr.Error(message, print_exception=False) from None
    said = found.prediction
    if request is not None:
        address = request.client.host if request.client else ""
        services.keep(DEFAULT, telemetry.request_id(None), "page", address, found.milliseconds, [said])
    seen = None if said.image is None else said.image.squeeze()
    details = {name: getattr(said, name) for name in ("verdict", "label", "confidence", "candidates", "model_version")}
    return found.label, found.words, seen, details, found.note
