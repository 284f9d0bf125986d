"""The Retrain tab: what was corrected is reviewed, labelled pictures are uploaded, the model learns from them,
and what is in Production is seen and changed. The operator's."""

from typing import TYPE_CHECKING

import gradio as gr

from serving.page.retrain import production, retraining, review, uploads
from serving.page.widgets.controls import dataset_switch, key_box

if TYPE_CHECKING:
    from serving.services import Services


def build(services: "Services") -> None:
    """Fills the tab."""
    key = key_box(services)
    dataset = dataset_switch(services)
    gr.Markdown("### Corrections")
    review.build(services, key, dataset)
    gr.Markdown("### Labelled pictures")
    uploads.build(services, key, dataset)
    gr.Markdown("### Training")
    retraining.build(services, key, dataset)
    gr.Markdown("### Production")
    production.build(services, key, dataset)
