"""The Retrain tab, for the operator: reviewing corrections, uploading labelled pictures, retraining, and Production."""

import gradio as gr

from serving.page.retrain import production, questions, retraining, review, uploads
from serving.page.widgets.controls import dataset_switch
from serving.services import Services

SECTIONS = {
    "Corrections": review.build,
    "Contradictions": questions.build,
    "Labelled pictures": uploads.build,
    "Training": retraining.build,
    "Production": production.build,
}


def build(services: Services, _tab: gr.Tab) -> None:
    """Fill the tab."""
    dataset = dataset_switch(services)
    for title, build_section in SECTIONS.items():
        gr.Markdown(f"### {title}")
        build_section(services, dataset)
