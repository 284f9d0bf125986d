"""The Retrain tab: what was corrected is reviewed, labelled pictures are uploaded, the model learns from them,
and what is in Production is seen and changed. The operator's."""

from typing import TYPE_CHECKING

import gradio as gr

from serving import production_view, review, training, training_data_uploads
from serving.dataset_switch import dataset_switch
from serving.operator_tabs import key_box

if TYPE_CHECKING:
    from serving.services import Services


def build(services: "Services") -> None:
    """Fills the tab."""
    key = key_box(services)
    dataset = dataset_switch(services)
    gr.Markdown("### Corrections")
    review.build(services, key, dataset)
    gr.Markdown("### Labelled pictures")
    training_data_uploads.build(services, key, dataset)
    gr.Markdown("### Training")
    training.build(services, key, dataset)
    gr.Markdown("### Production")
    production_view.build(services, key, dataset)
