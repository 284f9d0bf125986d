"""The Retrain tab, for the operator: reviewing corrections, uploading labelled pictures, retraining, and Production."""

import gradio as gr
from gradio.events import Dependency

from serving.page.retrain import production, questions, retraining, review, uploads
from serving.page.widgets.controls import Triggers, dataset_switch
from serving.services import Services


def build(services: Services, tab: gr.Tab) -> None:
    """Fill the tab, in the order in which a correction goes through it."""
    dataset = dataset_switch(services)
    path = gr.HTML(elem_id="retrain-path")
    with gr.Column(elem_classes="card"):
        gr.Markdown("### Review")
        refresh_review = review.build(services, dataset)
    with gr.Accordion("Contradictions", open=False, elem_classes="card"):
        questions.build(services, dataset)
    with gr.Accordion("Labelled pictures", open=False, elem_classes="card"):
        offer_labels = uploads.build(services, dataset)
    with gr.Column(elem_classes="card"):
        gr.Markdown("### Training and gate")
        refresh_training = retraining.build(services, dataset, path)
    with gr.Column(elem_classes="card"):
        gr.Markdown("### Production")
        refresh_production = production.build(services, dataset)
    event: Triggers | Dependency = [tab.select, dataset.change]
    for refresh in (refresh_review, refresh_training, refresh_production, offer_labels):
        event = refresh(event)
