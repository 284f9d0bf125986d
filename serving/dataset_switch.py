"""Which data set's model is asked: the switch of the tabs that serve all of them."""

from typing import TYPE_CHECKING, Any

import gradio as gr

from experiments.data.specs import SPECS

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.services import Services


def dataset_switch(services: "Services") -> gr.Radio:
    """One data set of those that have a model, the first at the start; hidden where there is no choice."""
    names = list(services.classifiers)
    choices = [(SPECS[name].things.capitalize(), name) for name in names]
    return gr.Radio(choices, value=names[0], label="What is shown", visible=len(names) > 1, elem_classes="dataset")


def chosen(services: "Services", dataset: Any) -> "Classifier":
    """The model that a switch's value stands for. Raises gr.Error for what it does not offer."""
    if dataset not in list(services.classifiers):
        raise gr.Error("Choose one of the data sets that are offered.", print_exception=False)
    return services.classifiers[dataset]
