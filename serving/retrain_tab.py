"""The Retrain tab: from corrections and uploads to a retrained model, and what was in Production. The operator's."""

from typing import TYPE_CHECKING

import gradio as gr

from serving import production_tab, review, training_tab, uploads
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
    uploads.build(services, key, dataset)
    gr.Markdown("### Retraining")
    training_tab.build(services, key, dataset)
    gr.Markdown("### Production")
    production_tab.build(services, key, dataset)
