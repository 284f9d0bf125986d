"""The Retrain tab, for the operator: reviewing corrections, uploading labelled pictures, retraining, and Production."""

import gradio as gr

from serving.page.retrain import production, retraining, review, uploads
from serving.page.widgets.controls import dataset_switch, key_box
from serving.services import Services

SECTIONS = {
    "Corrections": review.build,
    "Labelled pictures": uploads.build,
    "Training": retraining.build,
    "Production": production.build,
}


def build(services: Services) -> None:
    """Fill the tab."""
    key = key_box(services)
    dataset = dataset_switch(services)
    for title, build_section in SECTIONS.items():
        gr.Markdown(f"### {title}")
        build_section(services, key, dataset)
