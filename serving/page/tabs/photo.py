"""The Photo tab: a photo from a file, the clipboard or the camera, and the answer beside it."""

from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from experiments.preprocessing.formats import NAMES
from serving.page.widgets.answer import AnswerView, Outputs
from serving.page.widgets.controls import QUIET, UNLIMITED
from serving.page.widgets.examples import build_examples, cache_example
from serving.page.widgets.files import uploads
from serving.page.widgets.picture import build_picture
from serving.services import Services

DATASET = "cifar10"
KINDS = "{} or {}".format(", ".join(SPECS[DATASET].class_names[:-1]), SPECS[DATASET].class_names[-1])
SENTENCES = {
    "blank": "No photo yet, or nothing on it. Upload, paste or take one.",
    "rejected": f"That does not look like one of the ten: {KINDS}.",
}
EXAMPLES = {
    "cat.webp": "A cat",
    "airplane.webp": "A drawn airplane",
    "ship.webp": "A drawn ship",
    "truck.webp": "A drawn truck",
    "coffee.webp": "A cup of coffee, which is none of the ten",
}
HELP = f"A photo of one thing, in its middle: {KINDS}. Anything else should leave it unsure. Read are {NAMES}."


def build(services: Services) -> None:
    """Fill the tab; without a model it says how to make one."""
    if DATASET not in services.classifiers:
        make = f"`python -m experiments run --dataset {DATASET}` makes one."
        gr.Markdown(f"There is no model for photos here yet. {make}")
        return
    view = AnswerView(services, DATASET, SENTENCES)

    async def predict_photo(photo: dict[str, Any] | None, request: gr.Request) -> Outputs:
        """Says what a photo shows. Takes a picture of any size; its middle is read. Gives the label with the three
        most likely classes, the verdict in words, the 32x32 image the model saw, the details ("verdict" is sure,
        unsure or blank; "label", "confidence", "candidates", "model_version", "id"), and a line that says which model
        answered and how fast."""
        files = uploads(photo)
        if not files:
            return view.nothing()
        return await view.reply(files, request, record=files[0].name not in EXAMPLES)

    gr.Markdown(HELP)
    with gr.Row(elem_id="photo"):
        with gr.Column():
            photo = build_picture(
                label="A photo", sources=["upload", "clipboard", "webcam"], height=460, elem_id="snapshot"
            )
            _add_examples(photo)
        with gr.Column():
            parts = view.build()
            view.lay_out(parts)
    photo.change(
        predict_photo,
        photo,
        list(parts),
        preprocess=False,  # the workers decode
        api_name="predict_photo",
        show_progress="minimal",
        **UNLIMITED,
    )


def _add_examples(photo: gr.Image) -> None:
    """Pictures that one click shows as the photo, whose change is answered."""

    def show_example(index: Any) -> str:
        return str(cache_example(EXAMPLES, index))

    examples = build_examples(EXAMPLES)
    examples.click(show_example, examples, photo, **QUIET)
